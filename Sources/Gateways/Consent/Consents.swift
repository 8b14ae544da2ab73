package import CommandHandling
import Crypto
package import Domain
import Foundation
package import Projections
package import Secrets

/// Why a person's consent cannot be had, in words for them.
package struct ConsentFailure: Error, Hashable, Sendable {
    package let status: Int
    package let message: String

    init(_ status: Int, _ message: String) {
        self.status = status
        self.message = message
    }
}

/// Consent of people to calls of tools that act for them: OAuth2's authorization code with PKCE (RFC 6749, 7636).
///
/// The link that people open is Sluice's own and holds for as long as the run waits; each use of it begins anew.
package struct Consents: Sendable {
    let tokens: UserTokens
    private let publicURL: String
    private let pending = PendingConsents()

    /// - Parameter publicURL: where people's browsers reach this server, without a path.
    package init(
        commands: CommandHandler, projections: Projections, vault: SecretVault, credentials: CredentialStore,
        endpoint: any TokenEndpoint, publicURL: String
    ) {
        self.publicURL = publicURL
        tokens = UserTokens(
            commands: commands, projections: projections, vault: vault, credentials: credentials, endpoint: endpoint)
    }

    /// Where identity providers of tools send people back to.
    package var callbackURL: String { publicURL + "/oauth/callback" }
    private var commands: CommandHandler { tokens.commands }

    /// The link to consent to an action with. Only this server makes links that it takes.
    package func link(run: RunID, action: ActionID) -> String {
        "\(publicURL)/oauth/start/\(run)/\(action)/\(seal(run, action))"
    }

    /// Where to send the person who opened a link.
    package func begin(run: RunID, action: ActionID, seal given: String) async throws -> String {
        guard PayloadHash(seal(run, action)).matches(PayloadHash(given)) else {
            throw ConsentFailure(404, "This link is not valid.")
        }
        guard let state = commands.activeRun(run), let waiting = state.action(action), waiting.isConsent,
            waiting.status == .blocked
        else { throw ConsentFailure(410, "Nothing waits for this consent any more.") }
        let tool = ResourceKey(workspace: state.workspace, kind: .tool, name: waiting.toolID)
        let document = try await tokens.projections.resource(.tool, named: tool.name, in: tool.workspace)?.document
            .value
        guard case .userOAuth2(let authorization)? = try? Self.authentication(document) else {
            throw ConsentFailure(410, "The tool \(tool.name) does not ask for consent any more.")
        }
        let client: (id: String, secret: String?)
        do throws(CredentialError) {
            client = try tokens.client(of: tool)
        } catch {
            throw ConsentFailure(503, "The tool \(tool.name) is not set up for consent yet: \(error.description)")
        }
        let (now, verifier) = (commands.clock.now(), PendingConsents.secret())
        let consent = PendingConsents.Pending(
            workspace: state.workspace, runID: run, actionID: action, user: state.userID, tool: tool,
            authorization: authorization, verifier: verifier, expiresAt: now.adding(PendingConsents.lifetime))
        guard let text = pending.add(consent, at: now) else {
            throw ConsentFailure(503, "Too many people are consenting at this moment; open the link again in a minute.")
        }
        return page(authorization, clientID: client.id, state: text, verifier: verifier)
    }

    /// What the person brought back from the tool's page.
    ///
    /// - Returns: a sentence for them.
    package func finish(state: String, code: String?, error: String?) async throws -> String {
        guard let consent = pending.take(state, at: commands.clock.now()) else {
            throw ConsentFailure(400, "This answer is not known, too old, or was used before. Open the link again.")
        }
        let request = CommandRequest(
            workspace: consent.workspace, actor: Actor(kind: .system, name: consent.user))
        guard let code, error == nil else {
            guard error == "access_denied" else {
                throw ConsentFailure(502, "The tool's identity provider could not ask you. Open the link again.")
            }
            let reject = Command.rejectAction(
                run: consent.runID, action: consent.actionID, reason: "the user did not consent")
            do throws(CommandError) { try await reach(try await commands.execute(reject, request)) } catch {
                throw Self.failure(error)
            }
            return "You did not consent, and the agent's run was ended."
        }
        try await keep(try await token(consent, code: code), consent, request)
        return "Thank you. \(consent.tool.name) may be called for \(consent.user), and the agent goes on."
    }

    private func token(_ consent: PendingConsents.Pending, code: String) async throws -> (AccessToken, String) {
        do throws(CredentialError) {
            let client = try tokens.client(of: consent.tool)
            let grant = TokenRequest.Grant.authorizationCode(
                code, redirectURL: callbackURL, verifier: consent.verifier)
            let token = try await tokens.endpoint.token(
                consent.authorization.request(grant, clientID: client.id, clientSecret: client.secret),
                askedAt: commands.clock.now())
            return (token, client.id)
        } catch {
            throw ConsentFailure(
                502, "Your consent was given, but no token was: \(error.description). Open the link again.")
        }
    }

    private func keep(
        _ fetched: (token: AccessToken, clientID: String), _ consent: PendingConsents.Pending,
        _ request: CommandRequest
    ) async throws {
        let token = UserToken(fetched.token, consent.authorization, clientID: fetched.clientID)
        let reference = SecretReference.consent(consent.tool, user: consent.user)
        do {
            _ = try await tokens.keep(token, as: reference, request) { secret in
                .giveConsent(
                    run: consent.runID,
                    GiveConsent(
                        actionID: consent.actionID, token: secret,
                        scope: fetched.token.scope ?? consent.authorization.scopes.joined(separator: " ")))
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

    private func page(
        _ authorization: UserAuthorization, clientID: String, state: String, verifier: String
    ) -> String {
        var fields = [
            ("response_type", "code"), ("client_id", clientID), ("redirect_uri", callbackURL), ("state", state),
            ("code_challenge", Self.challenge(verifier)), ("code_challenge_method", "S256"),
        ]
        if !authorization.scopes.isEmpty { fields.append(("scope", authorization.scopes.joined(separator: " "))) }
        fields += authorization.parameters.map { ($0.name, $0.value) }
        let query = fields.map { "\($0.percentEncoded)=\($1.percentEncoded)" }.joined(separator: "&")
        return authorization.pageURL + (authorization.pageURL.utf8.contains(UInt8(ascii: "?")) ? "&" : "?") + query
    }

    /// RFC 7636, section 4.2: S256.
    static func challenge(_ verifier: String) -> String {
        Data(SHA256.hash(data: Data(verifier.utf8))).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// What of a tool's document says how it wants to be authenticated to.
    static func authentication(_ document: JSONValue?) throws(CredentialError) -> Authentication {
        let connection = document?["spec"]?["connection"]
        guard case .userOAuth2(var authorization) = try Authentication(connection?["authentication"]) else {
            return try Authentication(connection?["authentication"])
        }
        authorization.isInternal = connection?["topology"]?.string?.lowercased() == "internal"
        return .userOAuth2(authorization)
    }

    private func seal(_ run: RunID, _ action: ActionID) -> String {
        tokens.vault.fingerprint(Array("consent link\n\(run)\n\(action)".utf8)).prefix(16)
            .map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
