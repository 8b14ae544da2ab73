/// The consistency boundary an event belongs to: one run, one tool, one key, …
package struct StreamID: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case run, accessRequest, agent, tool, policy, modelProvider, apiKey, answer, secret, identityProvider
        case approvalConnector, deployDraft, settings, modelAlias
        case analysis, build, person
        /// That a run is not kept any more, under the run's id.
        case expiry
        /// A loss of keys, under an id of its own.
        case keyLoss
        /// A stop of an agent, a tool or a workspace, from its order to its end.
        case control
    }

    package let kind: Kind
    package let id: UUIDValue

    package init(kind: Kind, id: UUIDValue) {
        self.kind = kind
        self.id = id
    }

    package static func run(_ id: RunID) -> StreamID { StreamID(kind: .run, id: id.value) }
    package static func accessRequest(_ id: AccessRequestID) -> StreamID {
        StreamID(kind: .accessRequest, id: id.value)
    }
    package static func apiKey(_ id: APIKeyID) -> StreamID { StreamID(kind: .apiKey, id: id.value) }
    package static func secret(_ id: SecretID) -> StreamID { StreamID(kind: .secret, id: id.value) }
    package static func analysis(_ id: AnalysisID) -> StreamID { StreamID(kind: .analysis, id: id.value) }
    package static func build(_ id: BuildID) -> StreamID { StreamID(kind: .build, id: id.value) }
    package static func person(_ id: PersonID) -> StreamID { StreamID(kind: .person, id: id.value) }
    package static func expiry(of id: RunID) -> StreamID { StreamID(kind: .expiry, id: id.value) }
    package static func keyLoss(_ id: UUIDValue) -> StreamID { StreamID(kind: .keyLoss, id: id) }
    package static func control(_ id: ControlID) -> StreamID { StreamID(kind: .control, id: id.value) }
    package static func resource(_ kind: ResourceKind, _ id: ResourceID) -> StreamID {
        StreamID(kind: kind.streamKind, id: id.value)
    }

    /// `run/0193…`
    package var description: String { "\(kind.rawValue)/\(id.text)" }
}
