/// An agent was deployed, or a tool, policy or model provider registered, anew or in place of an older revision.
package struct ResourceStored: Hashable, Sendable {
    package let kind: ResourceKind
    package let name: String
    /// 1 for the first of this resource, then one more each time.
    package let revision: UInt64
    /// The whole resource as the API shows it, without status and secrets.
    package let document: JSONText
    /// The earlier revision that a rollback brought back; `nil` for every other change.
    package let restoredRevision: UInt64?

    package init(
        kind: ResourceKind, name: String, revision: UInt64, document: JSONText, restoredRevision: UInt64? = nil
    ) {
        self.kind = kind
        self.name = name
        self.revision = revision
        self.document = document
        self.restoredRevision = restoredRevision
    }
}

/// A resource was deleted; a later one of the same name is a new resource with a new id.
package struct ResourceDeleted: Hashable, Sendable {
    package let kind: ResourceKind
    package let name: String

    package init(kind: ResourceKind, name: String) {
        self.kind = kind
        self.name = name
    }
}

/// The result of a probe of a tool or model provider, or of the start of an agent.
package struct ResourceStatusRecorded: Hashable, Sendable {
    package let kind: ResourceKind
    package let name: String
    package let phase: String
    package let message: String?
    package let latencyMilliseconds: UInt64
    /// The revision of the agent that the status is of; `nil` for other kinds, and in records of older versions, which
    /// mean the newest revision.
    package let revision: UInt64?

    package init(
        kind: ResourceKind, name: String, phase: String, message: String?, latencyMilliseconds: UInt64,
        revision: UInt64? = nil
    ) {
        self.kind = kind
        self.name = name
        self.phase = phase
        self.message = message
        self.latencyMilliseconds = latencyMilliseconds
        self.revision = revision
    }
}
