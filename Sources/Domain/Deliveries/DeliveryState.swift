/// A message to approvers whose subject is open, or that still has to be followed up.
package struct DeliveryState: Hashable, Sendable {
    package enum Stage: Hashable, Sendable {
        case inFlight
        /// An attempt failed; the next one is due then.
        case waiting(Timestamp)
        case delivered
        /// Given up.
        case failed
    }

    package let workspace: WorkspaceName
    package let label: DeliveryLabel
    package let link: DecisionLink?
    package internal(set) var purpose: DeliveryPurpose
    package internal(set) var attempt: UInt32
    package internal(set) var stage: Stage
    /// Whether its subject is decided.
    package internal(set) var isClosed: Bool
    package internal(set) var isLinkUsed: Bool
    /// What the service calls the message, once it has taken it, where that can be followed up.
    package internal(set) var reference: String?

    package init(
        workspace: WorkspaceName, label: DeliveryLabel, link: DecisionLink?, purpose: DeliveryPurpose,
        attempt: UInt32, stage: Stage, isClosed: Bool, isLinkUsed: Bool, reference: String? = nil
    ) {
        self.workspace = workspace
        self.label = label
        self.link = link
        self.purpose = purpose
        self.attempt = attempt
        self.stage = stage
        self.isClosed = isClosed
        self.isLinkUsed = isLinkUsed
        self.reference = reference
    }

    /// Whether nothing can come of it any more.
    var isDone: Bool {
        switch stage {
        case .inFlight: false
        case .waiting: isClosed && purpose == .ask
        case .delivered: isClosed && (reference == nil || purpose == .followUp)
        case .failed: isClosed
        }
    }

    /// Whether the message says that something waits which does not any more, and nobody is at mending that.
    package var needsFollowUp: Bool {
        guard isClosed else { return false }
        switch stage {
        case .inFlight, .failed: return false
        case .waiting: return purpose == .followUp
        case .delivered: return reference != nil && purpose == .ask
        }
    }
}

/// The messages that the write side remembers, by their ids and by what they are about.
package struct DeliveryBook: Hashable, Sendable {
    private var states: [DeliveryID: DeliveryState] = [:]
    private var subjects: [UUIDValue: Set<DeliveryID>] = [:]
    private(set) var shares = ShareBook<WorkspaceName>()

    package init() {}

    /// `nil` when one is there twice.
    package init?(_ states: [DeliveryState]) {
        for state in states { insert(state) }
        guard self.states.count == states.count else { return nil }
    }

    package var count: Int { states.count }
    package var all: some Collection<DeliveryState> { states.values }

    package subscript(_ id: DeliveryID) -> DeliveryState? { states[id] }

    /// The messages about one subject, in order of their ids.
    package func about(_ subject: UUIDValue) -> [DeliveryState] {
        (subjects[subject] ?? []).sorted().compactMap { states[$0] }
    }

    mutating func evolve(_ event: Event) {
        switch event.payload {
        case .deliveryStarted(let started): start(started, event.workspace)
        case .deliveryEnded(let ended): end(ended)
        case .decisionLinkUsed(let used): states[used.label.id]?.isLinkUsed = true
        case .actionApproved(let approved): close(approved.actionID.value)
        case .actionRejected(let rejected): close(rejected.actionID.value)
        case .actionExpired(let expired): close(expired.actionID.value)
        case .actionFailed(let failed): close(failed.actionID.value)
        case .accessApproved, .accessRejected, .accessExpired: close(event.stream.id)
        case .resourceDeleted(let deleted) where deleted.kind == .approvalConnector:
            for state in states.values
            where state.label.connector == deleted.name && state.workspace == event.workspace { remove(state) }
        default: break
        }
    }

    /// Removes the messages about a run.
    mutating func forget(_ run: RunID) {
        for state in states.values where state.label.subject.runID == run { remove(state) }
    }

    private mutating func start(_ started: DeliveryStarted, _ workspace: WorkspaceName) {
        let id = started.label.id
        guard states[id] == nil else {
            states[id]?.purpose = started.purpose
            states[id]?.attempt = started.attempt
            states[id]?.stage = .inFlight
            return
        }
        insert(
            DeliveryState(
                workspace: workspace, label: started.label, link: started.link, purpose: started.purpose,
                attempt: started.attempt, stage: .inFlight, isClosed: false, isLinkUsed: false))
    }

    private mutating func end(_ ended: DeliveryEnded) {
        let id = ended.label.id
        switch ended.outcome {
        case .delivered(_, let reference):
            states[id]?.stage = .delivered
            if ended.purpose == .ask { states[id]?.reference = reference }
        case .failed(_, _, let retryAt?): states[id]?.stage = .waiting(retryAt)
        case .failed(_, _, nil): states[id]?.stage = .failed
        }
        if let state = states[id], state.isDone { remove(state) }
    }

    private mutating func close(_ subject: UUIDValue) {
        for id in subjects[subject] ?? [] {
            states[id]?.isClosed = true
            if let state = states[id], state.isDone { remove(state) }
        }
    }

    private mutating func insert(_ state: DeliveryState) {
        if let old = states.updateValue(state, forKey: state.label.id) { shares.release(1, of: old.workspace) }
        shares.take(1, for: state.workspace)
        subjects[state.label.subject.key, default: []].insert(state.label.id)
    }

    private mutating func remove(_ state: DeliveryState) {
        if let old = states.removeValue(forKey: state.label.id) { shares.release(1, of: old.workspace) }
        let key = state.label.subject.key
        subjects[key]?.remove(state.label.id)
        if subjects[key]?.isEmpty == true { subjects[key] = nil }
    }
}
