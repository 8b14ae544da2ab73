package import Domain
import EventStreaming

/// What a thing is called in a comparison of two moments.
package struct HistoryThing: Hashable, Sendable, Comparable {
    /// `run`, `action`, `access_request`, `api_key`, `secret`, or a kind of resource.
    package let kind: String
    package let workspace: WorkspaceName
    /// An id; the name of what has one.
    package let name: String

    package static func < (left: Self, right: Self) -> Bool {
        (left.kind, left.workspace, left.name) < (right.kind, right.workspace, right.name)
    }
}

extension HistoryThing {
    /// The resource or secret that the event is about; `nil` for every other event.
    init?(named event: Event) {
        switch event.payload {
        case .resourceStored(let stored): self.init(stored.kind, stored.name, event)
        case .resourceStatusRecorded(let recorded): self.init(recorded.kind, recorded.name, event)
        case .resourceDeleted(let deleted): self.init(deleted.kind, deleted.name, event)
        case .secretStored(let stored): self.init(secret: stored.name, stored.kind, stored.owner, event)
        case .secretDeleted(let deleted): self.init(secret: deleted.name, deleted.kind, deleted.owner, event)
        default: return nil
        }
    }

    private init(_ kind: ResourceKind, _ name: String, _ event: Event) {
        self.init(kind: kind.singular, workspace: event.workspace, name: name)
    }

    private init(secret name: String, _ kind: ResourceKind, _ owner: String, _ event: Event) {
        self.init(kind: "secret", workspace: event.workspace, name: "\(kind.singular)/\(owner)/\(name)")
    }
}

/// What is known of everything at some position, folded from the log for people to compare. No secret is in it: of
/// those, events have the sealed form alone, and that is left out.
struct HistoryFacts {
    /// The fields of a thing, each as JSON.
    typealias Facts = [String: JSONText]

    private(set) var things: [HistoryThing: Facts] = [:]
    /// What was known of the things that have changed since `watch`; `nil` of what was not there.
    private(set) var before: [HistoryThing: Facts?] = [:]
    private var isWatching = false
    private var actionsOfRuns: [HistoryThing: [HistoryThing]] = [:]

    /// From here on what changes is remembered as it was.
    mutating func watch() { isWatching = true }

    /// Folds one event.
    mutating func evolve(_ recorded: RecordedEvent) {
        let event = recorded.event
        switch event.stream.kind {
        case .run: evolveRun(event)
        case .accessRequest: evolveAccessRequest(event)
        case .apiKey: evolveKey(event)
        default: evolveNamed(event)
        }
    }

    /// Forgets a run that has come to its end, with its actions: nothing of it changes any more.
    private mutating func forgetIfOver(_ run: HistoryThing, _ status: RunStatus) {
        guard !isWatching, status.isFinished else { return }
        for action in actionsOfRuns.removeValue(forKey: run) ?? [] { things[action] = nil }
        things[run] = nil
    }

    private mutating func evolveRun(_ event: Event) {
        let run = HistoryThing(
            kind: "run", workspace: event.workspace, name: RunID(event.stream.id).description)
        func action(_ id: ActionID) -> HistoryThing {
            HistoryThing(kind: "action", workspace: event.workspace, name: id.description)
        }
        // What comes after a run's end is about nothing that is still known.
        if things[run] == nil, event.payload.runAgent == nil { return }
        if let sequence = event.timeline?.sequence { set(run, ["timeline_length": number(sequence)]) }
        switch event.payload {
        case .runCreated(let created):
            set(
                run,
                [
                    "agent_id": text(created.agentID), "user_id": text(created.userID),
                    "status": text(RunStatus.running.rawValue),
                ])
        case .runStatusChanged(let changed):
            set(run, ["status": text(changed.status.rawValue), "reason": changed.reason.map(text)])
            forgetIfOver(run, changed.status)
        case .actionBlocked(let blocked):
            let thing = action(blocked.actionID)
            actionsOfRuns[run, default: []].append(thing)
            let status: RunStatus = blocked.isConsent ? .pausedConsent : .pausedApproval
            set(run, ["status": text(status.rawValue)])
            set(
                thing,
                [
                    "run_id": text(run.name), "tool_id": text(blocked.toolID),
                    "method": blocked.method.map(text), "url": blocked.url.map(text),
                    "status": text(ActionStatus.blocked.rawValue),
                ])
        default:
            guard let (id, status) = event.payload.actionStatus else { return }
            set(action(id), ["status": text(status.rawValue)])
            if status == .approved || status == .rejected {
                set(action(id), ["approver_id": text(event.actor.name)])
            }
        }
    }

    private mutating func evolveAccessRequest(_ event: Event) {
        let thing = HistoryThing(
            kind: "access_request", workspace: event.workspace, name: AccessRequestID(event.stream.id).description)
        switch event.payload {
        case .accessRequested(let requested):
            set(
                thing,
                [
                    "subject": text(requested.subject), "tool_id": text(requested.toolID),
                    "agent_id": requested.agentID.map(text), "status": text(AccessRequestStatus.pending.rawValue),
                ])
        case .accessApproved(let approved):
            set(
                thing,
                [
                    "status": text(AccessRequestStatus.approved.rawValue), "scope": text(approved.scope.rawValue),
                    "approver_id": text(approved.approverID), "expires_at": text(approved.expiresAt.description),
                ])
        case .accessRejected(let rejected):
            set(
                thing,
                [
                    "status": text(AccessRequestStatus.rejected.rawValue), "approver_id": text(rejected.approverID),
                ])
        case .accessExpired(let expired):
            set(thing, ["status": text(AccessRequestStatus.expired.rawValue), "reason": expired.reason.map(text)])
        default: break
        }
    }

    private mutating func evolveKey(_ event: Event) {
        let id = APIKeyID(event.stream.id)
        let thing = HistoryThing(kind: "api_key", workspace: event.workspace, name: id.description)
        switch event.payload {
        case .apiKeyCreated(let created):
            set(
                thing,
                [
                    "name": text(created.name), "role": text(created.role.rawValue), "last4": text(created.last4),
                    "agent": created.agent.map(text), "groups": JSONText(array: created.groups.map(text)),
                    "only_groups": created.onlyGroups ? JSONText(verified: "true") : nil,
                    "expires_at": created.expiresAt.map { text($0.description) },
                ])
        case .apiKeyRotated(let rotated):
            set(thing, ["last4": text(rotated.last4), "expires_at": rotated.expiresAt.map { text($0.description) }])
        case .apiKeyRevoked: put(thing, nil)
        default: break
        }
    }

    /// Resources and secrets.
    private mutating func evolveNamed(_ event: Event) {
        guard let thing = HistoryThing(named: event) else { return }
        switch event.payload {
        case .resourceStored(let stored): put(thing, ["": stored.document, "revision": number(stored.revision)])
        case .resourceStatusRecorded(let recorded):
            guard things[thing] != nil else { return }
            set(thing, ["status.phase": text(recorded.phase), "status.message": recorded.message.map(text)])
        case .secretStored: set(thing, ["set_at": text(event.time.description)])
        case .resourceDeleted, .secretDeleted: put(thing, nil)
        default: return
        }
    }

    private mutating func set(_ thing: HistoryThing, _ fields: [String: JSONText?]) {
        remember(thing)
        for (name, value) in fields { if let value { things[thing, default: [:]][name] = value } }
    }

    private mutating func put(_ thing: HistoryThing, _ facts: Facts?) {
        remember(thing)
        things[thing] = facts
    }

    private mutating func remember(_ thing: HistoryThing) {
        if isWatching, before[thing] == nil { before[thing] = .some(things[thing]) }
    }

    private func text(_ text: String) -> JSONText { JSONText(string: text) }

    private func number(_ value: UInt64) -> JSONText { JSONText(verified: String(value)) }
}

extension EventPayload {
    /// The agent of a run that begins.
    fileprivate var runAgent: String? {
        if case .runCreated(let created) = self { created.agentID } else { nil }
    }

    /// What the event makes of an action that was there before.
    fileprivate var actionStatus: (ActionID, ActionStatus)? {
        switch self {
        case .actionApproved(let approved): (approved.actionID, .approved)
        case .actionRejected(let rejected): (rejected.actionID, .rejected)
        case .actionExpired(let expired): (expired.actionID, .expired)
        case .actionExecuted(let executed): (executed.actionID, .executed)
        case .actionFailed(let failed): (failed.actionID, .failed)
        default: nil
        }
    }
}
