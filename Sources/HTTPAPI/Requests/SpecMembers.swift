import Domain

/// The members of a kind's `spec`, for documents that have them at the top.
struct SpecMembers: Hashable, Sendable {
    static let tool = SpecMembers(
        ["connection"], ["governance", "capabilities", "riskTags", "accessMode"], shown: ["description", "topology"])
    static let modelProvider = SpecMembers(
        ["provider"],
        ["auth", "rateLimit", "prices", "api", "fallbacks", "region", "apiVersion", "topology"],
        shown: ["provider", "endpoint", "models", "description"])
    static let policy = SpecMembers(["policies", "approvals", "rules"], [], shown: ["description"])
    static let identityProvider = SpecMembers(
        ["host", "identityProvider", "identity_provider"],
        [
            "userIDClaim", "userIdClaim", "user_id_claim", "allowedDomains", "allowed_domains", "groupsClaim",
            "groups_claim", "role", "topology", "leeway_seconds",
        ], shown: [])

    /// The members of which a document without a `spec` has one at least.
    private let characteristic: [String]
    private let others: [String]
    /// Members that answers repeat beside the `spec`: of who sends an answer back, the `spec` counts.
    private let shown: [String]

    private init(_ characteristic: [String], _ others: [String], shown: [String]) {
        self.characteristic = characteristic
        self.others = others + shown.filter { !characteristic.contains($0) }
        self.shown = shown
    }

    /// The `spec` of a body, or else the members that stand at its top; `nil` when it has neither.
    ///
    /// - Throws: 400 for a member beside a `spec` that says something else: what restricts would be left out.
    func spec(of body: JSONValue) throws(APIError) -> JSONValue? {
        if let spec = try body.object("spec") {
            for name in characteristic + others where !shown.contains(name) {
                guard let value = body[name], value != .null, value != spec[name] else { continue }
                throw .badRequest("\(name) stands beside spec, where it does not count: send it in spec")
            }
            return spec
        }
        guard characteristic.contains(where: { body[$0].map { $0 != .null } ?? false }) else { return nil }
        return .object(Self.members(characteristic, of: body) + others(of: body))
    }

    /// The members of a `spec` at the top of a body, without those of which one shows that it has no `spec`.
    func others(of body: JSONValue) -> [JSONValue.Member] { Self.members(others, of: body) }

    private static func members(_ names: [String], of body: JSONValue) -> [JSONValue.Member] {
        names.compactMap { name in body[name].map { .init(name: name, value: $0) } }
    }
}
