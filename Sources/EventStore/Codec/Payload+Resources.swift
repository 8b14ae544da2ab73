import Domain

extension Sluice_Events_V1_ResourceStored {
    init(_ event: ResourceStored) {
        kind = .init(event.kind)
        name = event.name
        revision = event.revision
        document = event.document.text
    }
}

extension ResourceStored {
    init(_ proto: Sluice_Events_V1_ResourceStored) throws(MalformedRecord) {
        self.init(
            kind: try proto.kind.domain(), name: proto.name, revision: proto.revision,
            document: JSONText(verified: proto.document))
    }
}

extension Sluice_Events_V1_ResourceDeleted {
    init(_ event: ResourceDeleted) {
        kind = .init(event.kind)
        name = event.name
    }
}

extension ResourceDeleted {
    init(_ proto: Sluice_Events_V1_ResourceDeleted) throws(MalformedRecord) {
        self.init(kind: try proto.kind.domain(), name: proto.name)
    }
}

extension Sluice_Events_V1_ResourceStatusRecorded {
    init(_ event: ResourceStatusRecorded) {
        kind = .init(event.kind)
        name = event.name
        phase = event.phase
        if let message = event.message { self.message = message }
        latencyMs = event.latencyMilliseconds
    }
}

extension ResourceStatusRecorded {
    init(_ proto: Sluice_Events_V1_ResourceStatusRecorded) throws(MalformedRecord) {
        self.init(
            kind: try proto.kind.domain(), name: proto.name, phase: proto.phase,
            message: proto.hasMessage ? proto.message : nil, latencyMilliseconds: proto.latencyMs)
    }
}

extension Sluice_Events_V1_ResourceKind {
    fileprivate init(_ kind: ResourceKind) {
        self =
            switch kind {
            case .agent: .agent
            case .tool: .tool
            case .policy: .policy
            case .modelProvider: .modelProvider
            }
    }

    fileprivate func domain() throws(MalformedRecord) -> ResourceKind {
        switch self {
        case .agent: .agent
        case .tool: .tool
        case .policy: .policy
        case .modelProvider: .modelProvider
        case .unspecified, .UNRECOGNIZED: throw .missing("kind")
        }
    }
}
