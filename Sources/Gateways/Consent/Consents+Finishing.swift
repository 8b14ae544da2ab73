import CommandHandling
import Domain
import Projections
import Secrets

/// The answer that a person brings back from a page of another site (RFC 6749, section 4.1.2).
package struct AuthorizationAnswer: Sendable {
    package let state: String
    let code: String?
    let error: String?

    package init(state: String, code: String?, error: String?) {
        self.state = state
        self.code = code
        self.error = error
    }
}

extension Consents {
    /// Takes the answer of the tool's page.
    ///
    /// - Parameter browser: the browser's cookie of a name.
    /// - Returns: a sentence for the person.
    package func finish(_ answer: AuthorizationAnswer, browser: (String) -> String?) async throws -> String {
        let consent = try take(answer.state, browser)
        guard case .consent(let authorization) = consent.stage else { throw Self.unknownAnswer }
        let request = CommandRequest(
            workspace: consent.workspace, actor: Actor(kind: .system, name: consent.user))
        guard let code = answer.code, answer.error == nil else {
            guard answer.error == "access_denied" else {
                throw ConsentFailure(502, "The tool's identity provider could not ask you. Open the link again.")
            }
            let reject = Command.rejectAction(
                run: consent.runID, action: consent.actionID, reason: "the user did not consent")
            do throws(CommandError) { try await reach(try await commands.execute(reject, request)) } catch {
                throw Self.failure(error)
            }
            return "You did not consent, and the agent's run was ended."
        }
        let fetched = try await token(consent, authorization, code: code)
        try await keep(fetched, consent, authorization, request)
        return "Thank you. \(consent.tool.name) may be called for \(consent.user), and the agent continues."
    }

    private func token(
        _ consent: PendingConsents.Pending, _ authorization: UserAuthorization, code: String
    ) async throws -> (AccessToken, String) {
        do throws(CredentialError) {
            let client = try tokens.client(of: consent.tool)
            let grant = TokenRequest.Grant.authorizationCode(
                code, redirectURL: callbackURL, verifier: consent.verifier)
            let token = try await tokens.endpoint.token(
                authorization.request(grant, clientID: client.id, clientSecret: client.secret),
                askedAt: commands.clock.now())
            return (token, client.id)
        } catch {
            throw ConsentFailure(
                502, "Your consent was given, but no token was: \(error.description). Open the link again.")
        }
    }

    private func keep(
        _ fetched: (token: AccessToken, clientID: String), _ consent: PendingConsents.Pending,
        _ authorization: UserAuthorization, _ request: CommandRequest
    ) async throws {
        let token = UserToken(fetched.token, authorization, clientID: fetched.clientID)
        let reference = SecretReference.consent(consent.tool, user: consent.user)
        do {
            _ = try await tokens.keep(token, as: reference, request) { secret in
                .giveConsent(
                    run: consent.runID,
                    GiveConsent(
                        actionID: consent.actionID, token: secret,
                        scope: fetched.token.scope ?? authorization.scopes.joined(separator: " ")))
            }
        } catch let error as CommandError {
            throw Self.failure(error)
        }
    }

    private func reach(_ receipt: Receipt) async throws(CommandError) {
        do { try await tokens.projections.reach(receipt.position) } catch { throw .stopped("\(error)") }
    }

    private static func failure(_ error: CommandError) -> ConsentFailure {
        switch error {
        case .rejected:
            ConsentFailure(410, "The agent's run is over, or does not wait for this consent: nothing was kept.")
        default: ConsentFailure(503, "Nothing can be recorded at this moment. Open the link again in a minute.")
        }
    }
}
