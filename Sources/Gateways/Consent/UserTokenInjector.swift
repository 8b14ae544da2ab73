import Domain
import Synchronization

/// Gives calls the token of the person that the run is for.
final class UserTokenInjector: CredentialInjector {
    private let tokens: UserTokens
    private let user: String
    private let tool: ResourceKey
    private let authorization: UserAuthorization
    private let refused = Mutex<String?>(nil)

    init(_ tokens: UserTokens, user: String, tool: ResourceKey, _ authorization: UserAuthorization) {
        self.tokens = tokens
        self.user = user
        self.tool = tool
        self.authorization = authorization
    }

    func apply(to call: OutgoingCall) async throws(CredentialError) -> OutgoingCall {
        let token = try await tokens.token(of: user, for: tool, authorization, refused: refused.withLock { $0 })
        guard let token else {
            throw CredentialError(
                .consentMissing, "the user's consent to calls of tool \"\(tool.name)\" has ended: make the call again")
        }
        var call = call
        try call.setHeader("Authorization", "Bearer " + token)
        return call
    }

    func mayRenew(after call: OutgoingCall) -> Bool {
        guard let value = call.header("Authorization"), value.hasPrefix("Bearer ") else { return false }
        refused.withLock { $0 = String(value.dropFirst("Bearer ".count)) }
        return true
    }
}
