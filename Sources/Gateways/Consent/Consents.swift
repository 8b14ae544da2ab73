package import CommandHandling
import Crypto
package import Domain
import Foundation
import Governance
package import Projections
package import Secrets

/// Consent of people to calls of tools that act for them: OAuth2's authorization code with PKCE (RFC 6749, 7636).
///
/// The link that people open is Sluice's own and holds for as long as the run waits; each use of it begins a new
/// attempt, which is bound to the browser by a cookie. Where an identity provider knows the run's user, the user signs
/// in first (decision 0045).
package struct Consents: Sendable {
    let tokens: UserTokens
    let identities: IdentityGateway
    let signIn: UserSignIn
    let pending = PendingConsents()
    private let publicURL: String

    /// - Parameter publicURL: the URL by which people's browsers reach this server, without a path.
    package init(
        commands: CommandHandler, projections: Projections, vault: SecretVault, credentials: CredentialStore,
        endpoint: any TokenEndpoint, identities: IdentityGateway, publicURL: String
    ) {
        self.publicURL = publicURL
        self.identities = identities
        signIn = UserSignIn(
            identities: identities, credentials: credentials, endpoint: endpoint,
            callbackURL: publicURL + "/oauth/signed-in")
        tokens = UserTokens(
            commands: commands, projections: projections, vault: vault, credentials: credentials, endpoint: endpoint)
    }

    /// The redirect URI to register with the authorization servers of tools.
    package var callbackURL: String { publicURL + "/oauth/callback" }
    /// The redirect URI to register with identity providers.
    package var signInCallbackURL: String { signIn.callbackURL }
    var commands: CommandHandler { tokens.commands }
    private var projections: Projections { tokens.projections }

    /// The link to consent to an action with. Only this server makes links that it takes.
    package func link(run: RunID, action: ActionID) -> String {
        "\(publicURL)\(ConsentLink.path)\(run)/\(action)/\(seal(run, action))"
    }

    /// The redaction of the links of a run's consents, in every spelling that `Redactor` knows: the seal is the secret part.
    package func redaction(_ run: RunID, _ actions: [ActionID]) -> (String) -> String {
        let seals = actions.map { seal(run, $0) }
        let redactor = Redactor(seals + seals.map { $0.uppercased() }, mask: ConsentLink.redactedSeal)
        return redactor.redact
    }

    /// The text of a record with the links of the run's waiting consents whole again: for those entitled to them.
    package func restored(_ text: JSONText, run: RunID) -> JSONText {
        let waiting = commands.activeRun(run)?.actions.filter { $0.isConsent && $0.status == .blocked } ?? []
        return waiting.reduce(text) { text, action in
            let stem = "\(ConsentLink.path)\(run)/\(action.id)/"
            return JSONText(
                verified: text.text.replacing(stem + ConsentLink.redactedSeal, with: stem + seal(run, action.id)))
        }
    }

    /// The page to send the person to who opened a link: the tool's, or first that of an identity provider.
    ///
    /// - Parameters:
    ///   - proof: the person's token, when one came along.
    ///   - ticket: the ticket in the link, when it has one.
    /// - Throws: `ConsentFailure`, `ProjectionError`.
    package func begin(
        run: RunID, action: ActionID, seal given: String, proof: String?, ticket: String? = nil
    ) async throws -> Departure {
        try check(run, action, given)
        let asked = try await AskedConsent(run, action, commands, projections)
        guard let providers = try await identities.providers(ofUsersOf: asked.run.agentID, in: asked.run.workspace)
        else { return try departure(asked) }
        if let proof {
            try await check(proof, asked)
            return try departure(asked)
        }
        if let ticket, isTicket(ticket, run, action) { return try departure(asked) }
        guard let provider = providers.first(where: { $0.client != nil }) else { throw ConsentFailure.notSignedIn }
        return try await departure(asked, toSignInAt: provider)
    }

    /// The link with a ticket: for an application that has its user's token and sends the user's browser on.
    ///
    /// - Throws: `ConsentFailure`, `ProjectionError`.
    package func ticketLink(run: RunID, action: ActionID, seal given: String, proof: String) async throws -> String {
        try check(run, action, given)
        let asked = try await AskedConsent(run, action, commands, projections)
        try await check(proof, asked)
        return link(run: run, action: action) + "?ticket=" + ticket(run, action, commands.clock.now())
    }

    /// The tool's page, for a person who came back signed in.
    ///
    /// - Parameter browser: the browser's cookie of a name.
    /// - Throws: `ConsentFailure`, `ProjectionError`.
    package func signedIn(
        _ answer: AuthorizationAnswer, browser: (String) -> String?
    ) async throws -> Departure {
        let arrived = try take(answer.state, browser)
        guard case .signIn(let attempt) = arrived.stage else { throw Self.unknownAnswer }
        guard let code = answer.code, answer.error == nil else {
            throw ConsentFailure(403, "You did not sign in, so nothing was asked of the tool. Open the link again.")
        }
        let person = try await signIn.person(
            attempt, code: code, verifier: arrived.verifier, at: commands.clock.now())
        let asked = try await AskedConsent(arrived.runID, arrived.actionID, commands, projections)
        guard asked.isUser(person) else { throw ConsentFailure.otherUser(person.userID, of: asked.run.userID) }
        return try departure(asked)
    }

    /// Takes a person's answer out, when it comes from the browser that was sent for it.
    func take(_ state: String, _ browser: (String) -> String?) throws -> PendingConsents.Pending {
        guard let arrived = pending.take(state, at: commands.clock.now()) else { throw Self.unknownAnswer }
        let binding = BrowserBinding(state: state, value: arrived.browserSecret, isSecure: isSecure)
        guard let held = browser(binding.name), PayloadHash(held).matches(PayloadHash(binding.value)) else {
            throw ConsentFailure.otherBrowser
        }
        return arrived
    }

    /// The binding of an answer, to remove its cookie.
    package func binding(ofState state: String) -> BrowserBinding {
        BrowserBinding(state: state, value: "", isSecure: isSecure)
    }

    static let unknownAnswer = ConsentFailure(
        400, "This answer is not known, too old, or was used before. Open the link again.")

    private var isSecure: Bool { publicURL.lowercased().hasPrefix("https://") }

    private func check(_ run: RunID, _ action: ActionID, _ given: String) throws {
        guard PayloadHash(seal(run, action)).matches(PayloadHash(given)) else {
            throw ConsentFailure(404, "This link is not valid.")
        }
    }

    private func check(_ proof: String, _ asked: AskedConsent) async throws {
        let person: SignedInPerson
        do {
            person = try await identities.person(
                provenBy: proof, in: asked.run.workspace, toInvoke: asked.run.agentID)
        } catch let failure as IdentityFailure {
            throw ConsentFailure(failure)
        }
        guard asked.isUser(person) else { throw ConsentFailure.otherUser(person.userID, of: asked.run.userID) }
    }

    private func departure(_ asked: AskedConsent) throws -> Departure {
        let client: (id: String, secret: String?)
        do throws(CredentialError) {
            client = try tokens.client(of: asked.tool)
        } catch {
            throw ConsentFailure(503, "The tool \(asked.tool.name) is not set up for consent yet: \(error.description)")
        }
        return try departure(asked, .consent(asked.authorization)) { state, verifier in
            page(asked.authorization, clientID: client.id, state: state, verifier: verifier)
        }
    }

    private func departure(_ asked: AskedConsent, toSignInAt provider: IdentityProvider) async throws -> Departure {
        let attempt = try await signIn.attempt(at: provider)
        return try departure(asked, .signIn(attempt)) { state, verifier in
            attempt.page(state: state, challenge: Self.challenge(verifier), callbackURL: signIn.callbackURL)
        }
    }

    private func departure(
        _ asked: AskedConsent, _ stage: PendingConsents.Stage, _ page: (_ state: String, _ verifier: String) -> String
    ) throws -> Departure {
        let (now, verifier, browserSecret) = (
            commands.clock.now(), PendingConsents.secret(), PendingConsents.secret()
        )
        let consent = PendingConsents.Pending(
            workspace: asked.run.workspace, runID: asked.run.id, actionID: asked.actionID, user: asked.run.userID,
            tool: asked.tool, stage: stage, verifier: verifier, browserSecret: browserSecret,
            expiresAt: now.adding(PendingConsents.lifetime))
        guard let state = pending.add(consent, at: now) else {
            throw ConsentFailure(503, "Too many people are consenting at this moment; open the link again in a minute.")
        }
        return Departure(
            url: page(state, verifier),
            binding: BrowserBinding(state: state, value: browserSecret, isSecure: isSecure))
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
        return authorization.pageURL.withQuery(fields)
    }

    /// RFC 7636, section 4.2: S256.
    static func challenge(_ verifier: String) -> String {
        Data(SHA256.hash(data: Data(verifier.utf8))).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// The part of a tool's document that says how the tool is authenticated to.
    static func authentication(_ document: JSONValue?) throws(CredentialError) -> Authentication {
        let connection = document?["spec"]?["connection"]
        let authentication = try Authentication(connection?["authentication"])
        guard case .userOAuth2(var authorization) = authentication else { return authentication }
        authorization.isInternal = connection?["topology"]?.string?.lowercased() == "internal"
        let url = (connection?["baseUrl"] ?? connection?["base_url"])?.string
        authorization.toolOrigin = url.flatMap { try? NormalizedURL($0).origin }
        return .userOAuth2(authorization)
    }

    private func seal(_ run: RunID, _ action: ActionID) -> String {
        mac("consent link\n\(run)\n\(action)")
    }

    private func mac(_ text: String) -> String { tokens.vault.fingerprint(Array(text.utf8)).prefix(16).hexText }

    private func ticket(_ run: RunID, _ action: ActionID, _ now: Timestamp) -> String {
        let end = String(now.adding(.seconds(300)).microseconds)
        return end + "." + mac("consent ticket\n\(run)\n\(action)\n\(end)")
    }

    private func isTicket(_ ticket: String, _ run: RunID, _ action: ActionID) -> Bool {
        let parts = ticket.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let end = Int64(parts[0]), end > commands.clock.now().microseconds else { return false }
        let expected = mac("consent ticket\n\(run)\n\(action)\n\(end)")
        return PayloadHash(expected).matches(PayloadHash(parts[1]))
    }
}

extension String {
    /// The URL with further fields in its query.
    func withQuery(_ fields: [(name: String, value: String)]) -> String {
        let query = fields.map { "\($0.name.percentEncoded)=\($0.value.percentEncoded)" }.joined(separator: "&")
        return self + (utf8.contains(UInt8(ascii: "?")) ? "&" : "?") + query
    }
}
