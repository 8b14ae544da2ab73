import Domain

/// What a rule says about the calls that it covers.
package enum PolicyPermission: String, Hashable, Sendable, CaseIterable {
    case allow, deny
    case approvalRequired = "approval_required"
}

/// One line of a policy: a permission for what has this resource, method and, where tags are named, one of them.
package struct PolicyRule: Hashable, Sendable, CustomStringConvertible {
    package let permission: PolicyPermission
    package let resource: ResourcePattern
    package let methods: CallMethods
    package let tags: RiskTags

    package init(
        _ permission: PolicyPermission, _ resource: ResourcePattern, _ methods: CallMethods = .all,
        tags: RiskTags = RiskTags([])
    ) {
        self.permission = permission
        self.resource = resource
        self.methods = methods
        self.tags = tags
    }

    init(_ reader: DocumentReader) throws(InvalidDocument) {
        guard let permission = try reader.choice("permission", of: PolicyPermission.self) else {
            throw reader.invalid("permission", "is required: one of allow, deny, approval_required")
        }
        self.init(
            permission, try reader.resource() ?? .everything, try reader.methods(),
            tags: RiskTags(try reader.texts("tags")))
    }

    package var description: String {
        let marked = tags.isEmpty ? "" : " tagged \(tags.words.sorted().joined(separator: " or "))"
        return "\(permission.rawValue) \(methods) on \(resource)\(marked)"
    }

    /// Whether the rule can be about any call of that method below the URL.
    func mayCover(_ method: String, somewhereBelow base: NormalizedURL) -> Bool {
        methods.contains(method) && resource.mayCoverSome(withOriginOf: base)
    }

    /// Whether the rule is about the call. One that allows wants every reading of the URL, the others want any.
    func covers(_ method: String, _ url: NormalizedURL, _ tags: RiskTags) -> Bool {
        guard methods.contains(method), self.tags.isEmpty || self.tags.overlaps(tags) else { return false }
        return switch permission {
        case .allow: resource.surelyCovers(url)
        case .deny, .approvalRequired: resource.possiblyCovers(url)
        }
    }
}

extension DocumentReader {
    func resource() throws(InvalidDocument) -> ResourcePattern? {
        guard let text = try text("resource") else { return nil }
        do {
            return try ResourcePattern(text)
        } catch {
            throw invalid("resource", error.reason)
        }
    }

    func methods() throws(InvalidDocument) -> CallMethods {
        guard let methods = CallMethods(try texts("operations")) else {
            throw invalid("operations", "must be HTTP methods such as GET and POST")
        }
        return methods
    }
}
