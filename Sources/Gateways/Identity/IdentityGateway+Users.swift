import Authentication
package import Domain
package import Projections

/// The people who may be the user of an agent's runs.
extension IdentityGateway {
    /// The identity providers that may prove the user of the agent's runs: the one that the agent requires, else all of
    /// the workspace, by name.
    ///
    /// - Returns: `nil` when none has a say; empty when the required one does not exist, so that no person is proven.
    package func providers(
        ofUsersOf agent: String, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> [IdentityProvider]? {
        let providers = try await directory.providers(in: workspace)
        if let required = try await directory.provider(requiredBy: agent, in: workspace) {
            return providers.filter { $0.name == required }
        }
        return providers.isEmpty ? nil : providers
    }

    /// Verifies the ID token of a sign-in, by the rules for all tokens of the provider but with the client as its
    /// audience (OpenID Connect Core, section 3.1.3.7).
    ///
    /// - Throws: `IdentityFailure`.
    func person(
        signedInBy text: String, at provider: IdentityProvider, clientID: String, nonce: String
    ) async throws -> SignedInPerson {
        let token: JSONWebToken
        do throws(TokenFailure) { token = try JSONWebToken(text) } catch { throw IdentityFailure.token(error.message) }
        return try await person(token, provider, provider.rules.forSignIn(clientID: clientID, nonce: nonce))
    }

    /// A JSON document that the provider publishes.
    func document(_ address: KeySetAddress) async throws(KeySetUnavailable) -> JSONValue {
        try await documents.document(address)
    }
}
