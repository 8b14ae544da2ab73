import Domain
import Gateways
import HTTPTypes
import Hummingbird

/// Who a request with a person's token is from, and for whom.
struct TokenSignIn {
    let identities: IdentityGateway
    private let agent: String?
    /// The workspace that the path or the header names.
    private let workspace: WorkspaceName?

    init(_ identities: IdentityGateway, _ request: Request, _ context: APIContext) throws(APIError) {
        self.identities = identities
        let (name, second) = (context.parameters.get("name"), context.parameters.get("second"))
        agent = Self.isInvoke(context) ? (second ?? name)?.percentDecoded : nil
        // In the older API an agent's namespace stands before its name.
        let named = context.parameters.get("workspace") ?? request.headers.workspaceNamespace
        guard let text = named ?? (second == nil ? nil : name) else {
            workspace = nil
            return
        }
        guard let workspace = WorkspaceName(text) else { throw .badRequest("the workspace's name is not valid") }
        self.workspace = workspace
    }

    static func isInvoke(_ context: APIContext) -> Bool {
        guard let path = context.endpointPath else { return false }
        return path.hasSuffix(AuthenticationMiddleware.invokePathSuffix)
            || path.hasSuffix(APIHandlers.invokeStreamPathSuffix)
    }

    /// The person, as who the request is from.
    func principal(_ token: String) async throws -> Principal {
        let workspace = workspace ?? .default
        let signedIn = try await person(token, workspace)
        var principal = Principal(
            caller: .person(signedIn.person), name: signedIn.userID, role: signedIn.role, workspace: workspace,
            groups: signedIn.groups, agent: nil, access: signedIn.access)
        principal.endUser = EndUser(
            workspace: workspace, person: signedIn.person, userID: signedIn.userID)
        return principal
    }

    /// The key's principal, acting for the person.
    func principal(_ key: Principal, for token: String) async throws -> Principal {
        let workspace = workspace ?? key.workspace
        let signedIn = try await person(token, workspace)
        var principal = key
        principal.access = { time in key.access(time).combined(with: signedIn.access(time)) }
        principal.endUser = EndUser(
            workspace: workspace, person: signedIn.person, userID: signedIn.userID)
        return principal
    }

    private func person(_ token: String, _ workspace: WorkspaceName) async throws -> SignedInPerson {
        do {
            return try await identities.person(provenBy: token, in: workspace, toInvoke: agent)
        } catch let failure as IdentityFailure {
            switch failure {
            case .token(let reason): throw APIError.invalidToken(reason)
            case .unavailable(let reason):
                throw APIError(.serviceUnavailable, .identityProviderUnavailable, reason).retryAfter(seconds: 5)
            }
        }
    }
}

extension SignedInPerson {
    /// The standing of the token's access: it ends with the token, by the clock that sign-in judges it by.
    fileprivate var access: @Sendable (AccessTime) -> AccessStanding {
        { [expiresAt] now in
            now.wallTime < expiresAt ? .granted(until: AccessDeadline(wallTime: expiresAt)) : .ended
        }
    }
}
