import Domain

/// Who decides on the calls that a policy wants approved: an entry of `spec.approvals`.
///
/// It asks for no approval by itself; a rule with `approval_required` does.
package struct ApprovalRule: Hashable, Sendable {
    package let name: String
    package let toolIDs: [String]
    package let capabilities: [String]
    package let methods: CallMethods
    package let resource: ResourcePattern?
    package let tags: RiskTags
    package let approvers: Approvers
    package let defaultDuration: Duration?
    /// The longest grant that approvers may give; `nil` makes it the default duration, when there is one.
    package let maxDuration: Duration?
    /// True when each approval has to be signed with the approver's own SSH key.
    package let requiresSignature: Bool
    package let delivery: ApprovalDelivery

    init(_ reader: DocumentReader) throws(InvalidDocument) {
        name = try reader.text("name") ?? ""
        toolIDs = try reader.texts("toolIds")
        capabilities = try reader.texts("capabilities")
        methods = try reader.methods()
        resource = try reader.resource()
        tags = RiskTags(try reader.texts("tags"))
        approvers = try reader.object("approvers").map(Approvers.init) ?? Approvers(groups: [], quorum: .any)
        defaultDuration = try reader.duration("defaultDuration")
        maxDuration = try reader.duration("maxDuration")
        requiresSignature = try reader.flag("requireSignature") ?? false
        delivery = try reader.object("delivery").map(ApprovalDelivery.init) ?? ApprovalDelivery()
    }

    /// True when it is about the call by every reading of its URL.
    func isSurelyAbout(_ call: ApprovalSubject) -> Bool { resource?.surelyCovers(call.url) ?? true }

    /// How closely it is about the call, by some reading of its URL: tool before capability, resource, tags, methods;
    /// `nil` when it is not.
    func closeness(_ call: ApprovalSubject) -> Int? {
        var closeness = 0
        func takes(_ isNamed: Bool, _ isMet: Bool, _ weight: Int) -> Bool {
            if isNamed, isMet { closeness += weight }
            return !isNamed || isMet
        }
        let isAbout =
            takes(!toolIDs.isEmpty, toolIDs.contains(call.tool), 16)
            && takes(!capabilities.isEmpty, capabilities.contains { call.capabilityNames.contains($0) }, 8)
            && takes(resource != nil, resource?.possiblyCovers(call.url) ?? true, 4)
            && takes(!tags.isEmpty, tags.overlaps(call.tags), 2)
            && takes(!methods.names.isEmpty, methods.contains(call.method), 1)
        return isAbout ? closeness : nil
    }
}

/// What an approval rule is matched with.
struct ApprovalSubject {
    let tool: String
    let capabilityNames: [String]
    let method: String
    let url: NormalizedURL
    let tags: RiskTags
}

/// The groups that may decide, and whether one of them is enough.
package struct Approvers: Hashable, Sendable {
    package enum Quorum: String, Hashable, Sendable, CaseIterable {
        /// One approver of any of the groups.
        case any
        /// One approver of each group.
        case all
    }

    /// Sorted, each once; none is everybody who may approve.
    package let groups: [String]
    package let quorum: Quorum

    package init(groups: [String], quorum: Quorum) {
        self.groups = Set(groups).sorted()
        self.quorum = quorum
    }

    init(_ reader: DocumentReader) throws(InvalidDocument) {
        let groups = try reader.texts("groups")
        for group in groups where !GroupName.isValid(group) {
            throw reader.invalid("groups", "must be names of \(GroupName.rule)")
        }
        self.init(groups: groups, quorum: try reader.choice("match", of: Quorum.self) ?? .any)
    }
}

/// How approvers are told: the members of `delivery`.
package struct ApprovalDelivery: Hashable, Sendable {
    package let connectors: [String]
    package let mode: String?
    package let fallsBackToUI: Bool?
    /// True when the workspace's default connectors are notified as well; never of a single document.
    package let includesDefaults: Bool

    init() { self.init(connectors: [], mode: nil, fallsBackToUI: nil, includesDefaults: false) }

    init(connectors: [String], mode: String?, fallsBackToUI: Bool?, includesDefaults: Bool) {
        self.connectors = connectors
        self.mode = mode
        self.fallsBackToUI = fallsBackToUI
        self.includesDefaults = includesDefaults
    }

    init(_ reader: DocumentReader) throws(InvalidDocument) {
        connectors = try reader.texts("connectors")
        mode = try reader.text("mode")
        fallsBackToUI = try reader.flag("fallbackToUI")
        includesDefaults = false
    }
}
