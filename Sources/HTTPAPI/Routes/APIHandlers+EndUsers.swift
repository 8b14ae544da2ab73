import Domain
import Gateways
import HTTPTypes
import Projections

/// Identity providers, and the agents that take the people of one of them alone.
extension APIHandlers {
    /// Whom a provider's people may be is theirs to say who may make keys: with a role, it makes people as keys do.
    func storeIdentityProvider(_ request: APIRequest) async throws -> APIAnswer {
        let name = try request.body.requiredText("name")
        var secrets: [NamedSecret] = []
        let document = try IdentityProviderDocument.document(request.body, &secrets)
        let isForSignIn = document.value["spec"]?["role"] != nil
        guard !isForSignIn || Permission.manageKeys.isGranted(to: request.principal) else {
            throw APIError(
                .forbidden, .forbidden,
                "spec.role lets people sign in at the API: storing it needs a key of role admin")
        }
        return try await store(.identityProvider, named: name, document, secrets: secrets, request)
    }

    /// Refuses to invoke the agent for anybody whom its identity provider does not prove.
    func checkEndUser(_ request: APIRequest, ofAgent agent: String) async throws {
        guard let required = try await dependencies.identities.provider(requiredBy: agent, in: request.workspace),
            request.principal.endUser?.provider != required
        else { return }
        throw APIError.notSignedIn(
            "agent \(agent.excerpt) takes people of identity provider \"\(required.excerpt)\" alone: invoke it at "
                + "/agents/{name}/invoke with their token as Authorization: Bearer <JWT>, beside it an API key as "
                + "X-RunAgents-API-Key or none")
    }

    /// Refuses a deploy of an agent that nobody could invoke.
    func checkIdentityProvider(_ request: APIRequest) async throws {
        guard let name = try request.body.text("identity_provider") else { return }
        guard try await projections.resource(.identityProvider, named: name, in: request.workspace) != nil else {
            throw APIError.badRequest(
                "identity_provider \"\(name.excerpt)\" is not known: store it first, with POST /identity-providers")
        }
    }
}

extension APIError {
    /// 401 of a request that has to say who sends it.
    static func notSignedIn(_ message: String) -> APIError {
        var error = APIError(.unauthorized, .unauthorized, message)
        error.headers[.wwwAuthenticate] = "Bearer"
        return error
    }

    /// 401 of a token that fails a check (RFC 6750, section 3.1).
    static func invalidToken(_ message: String) -> APIError {
        var error = APIError(.unauthorized, .invalidToken, message)
        error.headers[.wwwAuthenticate] = "Bearer error=\"invalid_token\""
        return error
    }
}
