import Domain
import EventStore

/// What somebody has to decide, as the log tells of it: what has ended otherwise is still in it until it is looked at.
struct WaitingSubjects: Sendable {
    typealias Entry = (subject: DeliverySubject, workspace: WorkspaceName)

    private var entries: [UUIDValue: Entry] = [:]

    init(_ entries: [Entry]) {
        for entry in entries { self.entries[entry.subject.key] = entry }
    }

    mutating func take(_ recorded: RecordedEvent) {
        let event = recorded.event
        switch event.payload {
        case .actionBlocked(let blocked) where !blocked.isConsent:
            let subject = DeliverySubject.action(
                RunID(event.stream.id), blocked.actionID, blocked.accessRequestID)
            entries[subject.key] = (subject, event.workspace)
        case .accessRequested(let requested) where requested.run == nil:
            entries[event.stream.id] = (.request(AccessRequestID(event.stream.id)), event.workspace)
        case .actionApproved(let approved): entries[approved.actionID.value] = nil
        case .actionRejected(let rejected): entries[rejected.actionID.value] = nil
        case .actionExpired(let expired): entries[expired.actionID.value] = nil
        case .actionFailed(let failed): entries[failed.actionID.value] = nil
        case .accessApproved, .accessRejected, .accessExpired: entries[event.stream.id] = nil
        default: break
        }
    }

    /// Those of a workspace that are open, oldest first; what is not open any more is forgotten.
    mutating func open(in workspace: WorkspaceName, isOpen: (DeliverySubject) -> Bool) -> [DeliverySubject] {
        entries = entries.filter { isOpen($0.value.subject) }
        return entries.values.filter { $0.workspace == workspace }.map(\.subject).sorted { $0.key < $1.key }
    }
}
