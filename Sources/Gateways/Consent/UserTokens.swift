import CommandHandling
import Domain
import Projections
import Secrets

/// The tokens of people who consented: kept sealed, refreshed when they have to be.
struct UserTokens: Sendable {
    let commands: CommandHandler
    let projections: Projections
    let vault: SecretVault
    let credentials: CredentialStore
    let endpoint: any TokenEndpoint
    private let turns = RefreshTurns()

    init(
        commands: CommandHandler, projections: Projections, vault: SecretVault, credentials: CredentialStore,
        endpoint: any TokenEndpoint
    ) {
        self.commands = commands
        self.projections = projections
        self.vault = vault
        self.credentials = credentials
        self.endpoint = endpoint
    }

    /// A token to call the tool with for that person; `nil` when they have to consent.
    ///
    /// - Parameter refused: a token that the tool did not take: another one is fetched.
    /// - Throws: when there is a token and it cannot be refreshed at the moment.
    func token(
        of user: String, for tool: ResourceKey, _ authorization: UserAuthorization, refused: String? = nil
    ) async throws(CredentialError) -> String? {
        let reference = SecretReference.consent(tool, user: user)
        func usable(_ token: UserToken) -> Bool {
            token.accessToken != refused
                && commands.clock.now() < (token.refreshToken == nil ? token.expiresAt : token.refreshAt)
        }
        guard let kept = try read(reference, authorization) else { return nil }
        if usable(kept) { return kept.accessToken }
        guard kept.refreshToken != nil else { return nil }
        await turns.begin(reference)
        do throws(CredentialError) {
            // Somebody may have fetched it meanwhile.
            let kept = try stored(reference, authorization)
            var token = kept?.token.accessToken
            if let kept, !usable(kept.token) { token = try await refreshed(kept, reference, authorization) }
            await turns.end(reference)
            return token
        } catch {
            await turns.end(reference)
            throw error
        }
    }

    /// What the tool's client is known by at the token endpoint.
    func client(of tool: ResourceKey) throws(CredentialError) -> (id: String, secret: String?) {
        let values = try credentials.secrets(of: tool).values
        guard let id = values["client_id"], !id.isEmpty else {
            throw CredentialError(
                .missing,
                "the secret client_id of tool \"\(tool.name)\" is not set; set it with `sluice secrets set client_id "
                    + "--owner tool/\(tool.name)`")
        }
        return (id, values["client_secret"])
    }

    /// Seals a token and executes the command that keeps it; keys that nothing needs afterwards are destroyed.
    func keep(
        _ token: UserToken, as reference: SecretReference, _ request: CommandRequest,
        _ command: (StoreSecret) -> Command
    ) async throws -> Receipt {
        guard let sealed = try await vault.seal([(reference, token.bytes)]).first else {
            preconditionFailure("a secret that is sealed comes back")
        }
        let stored = StoreSecret(name: reference.name, sealed: sealed, newID: commands.newID())
        let receipt: Receipt
        do {
            receipt = try await commands.execute(command(stored), request)
        } catch {
            // After a stop nobody knows what became of the command: the next start looks.
            if case .stopped = error { throw error }
            try await vault.destroy([sealed.keyID])
            throw error
        }
        try await projections.reach(receipt.position)
        try await vault.destroy(receipt.events.compactMap(\.event.payload.obsoleteKeyID))
        return receipt
    }

    private func read(
        _ reference: SecretReference, _ authorization: UserAuthorization
    ) throws(CredentialError) -> UserToken? {
        try stored(reference, authorization)?.token
    }

    /// The token and the key that it is sealed with.
    private func stored(
        _ reference: SecretReference, _ authorization: UserAuthorization
    ) throws(CredentialError) -> (token: UserToken, keyID: DataKeyID)? {
        do {
            guard let record = try projections.secret(reference),
                let token = UserToken(try vault.open(record.sealed, of: reference)), token.isFor(authorization)
            else { return nil }
            return (token, record.sealed.keyID)
        } catch let error as SecretsError where error.code == .keyDestroyed {
            return nil
        } catch {
            throw CredentialError(.unreadable, "the user's token cannot be opened: \(error)")
        }
    }

    /// Renews a token. One that was deleted or replaced while its endpoint was asked stays so.
    private func refreshed(
        _ stored: (token: UserToken, keyID: DataKeyID), _ reference: SecretReference, _ authorization: UserAuthorization
    ) async throws(CredentialError) -> String? {
        let kept = stored.token
        guard let refreshToken = kept.refreshToken else { return nil }
        let client = try client(of: reference.owner)
        guard client.id == kept.clientID else { return nil }
        let request = CommandRequest(workspace: reference.owner.workspace, actor: .gateway)
        do throws(CredentialError) {
            let fresh = try await endpoint.token(
                authorization.request(.refreshToken(refreshToken), clientID: client.id, clientSecret: client.secret),
                askedAt: commands.clock.now())
            let token = UserToken(fresh, authorization, clientID: client.id, earlier: kept)
            do {
                _ = try await keep(token, as: reference, request) { secret in
                    .storeSecrets(
                        StoreSecrets(
                            kind: reference.owner.kind, owner: reference.owner.name, secrets: [secret],
                            renewedKeyID: stored.keyID))
                }
            } catch CommandError.rejected(let rejection)
                where [.secretNotFound, .resourceNotFound].contains(rejection.code)
            {
                return try read(reference, authorization)?.accessToken
            } catch {
                throw CredentialError(.unreadable, "the user's new token cannot be kept: \(error)")
            }
            return fresh.text
        } catch {
            guard error.code == .grantRefused else { throw error }
            // The person took it back, or it ran out: it is of no use any more.
            let delete = DeleteSecret(kind: reference.owner.kind, owner: reference.owner.name, name: reference.name)
            if let receipt = try? await commands.execute(.deleteSecret(delete), request) {
                try? await projections.reach(receipt.position)
                try? await vault.destroy(receipt.events.compactMap(\.event.payload.obsoleteKeyID))
            }
            return nil
        }
    }
}
