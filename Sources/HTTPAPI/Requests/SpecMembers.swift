import Domain

/// The members of a kind's `spec`, for documents that have them at the top.
struct SpecMembers: Hashable, Sendable {
    static let tool = SpecMembers(
        ["connection"],
        ["description", "governance", "capabilities", "riskTags", "topology", "accessMode"])
    static let modelProvider = SpecMembers(
        ["provider"],
        [
            "endpoint", "models", "auth", "rateLimit", "prices", "api", "fallbacks", "region", "apiVersion", "topology",
            "description",
        ])
    static let policy = SpecMembers(["policies", "approvals", "rules"], ["description"])
    static let identityProvider = SpecMembers(
        ["host", "identityProvider", "identity_provider"],
        [
            "userIDClaim", "userIdClaim", "user_id_claim", "allowedDomains", "allowed_domains", "groupsClaim",
            "groups_claim", "role", "topology", "leeway_seconds",
        ])

    /// The members of which a document without a `spec` has one at least.
    private let characteristic: [String]
    private let others: [String]

    private init(_ characteristic: [String], _ others: [String]) {
        self.characteristic = characteristic
        self.others = others
    }

    /// The `spec` of a body, or else the members that stand at its top; `nil` when it has neither.
    func spec(of body: JSONValue) throws(APIError) -> JSONValue? {
        if let spec = try body.object("spec") { return spec }
        guard characteristic.contains(where: { body[$0].map { $0 != .null } ?? false }) else { return nil }
        return .object(
            (characteristic + others).compactMap { name in body[name].map { .init(name: name, value: $0) } })
    }
}
