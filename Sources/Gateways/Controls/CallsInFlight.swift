package import Domain
import Synchronization

/// The calls of agents that the gateways carry, so that a control ends them at once.
///
/// A call registers before the rules judge it: the rules see a control that was recorded before, and one that is recorded
/// later finds the call here. Fed with the log's events.
package final class CallsInFlight: Sendable {
    /// The agent, the run and the tool of a call, as far as they are known.
    package struct Subject: Hashable, Sendable {
        package let workspace: WorkspaceName
        package var agent: String?
        package var run: RunID?
        package var tool: String?

        package init(workspace: WorkspaceName, agent: String? = nil, run: RunID? = nil, tool: String? = nil) {
            self.workspace = workspace
            self.agent = agent
            self.run = run
            self.tool = tool
        }
    }

    private struct State {
        var calls: [UInt64: (subject: Subject, end: CallEnd)] = [:]
        var ofRuns: [RunID: Set<UInt64>] = [:]
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// The number of calls in flight.
    package var count: Int { state.withLock { $0.calls.count } }

    /// Registers a call, until nothing refers to the result any more.
    package func begin(_ subject: Subject) -> CallInFlight {
        let end = CallEnd()
        let id = state.withLock { state in
            state.nextID += 1
            state.calls[state.nextID] = (subject, end)
            if let run = subject.run { state.ofRuns[run, default: []].insert(state.nextID) }
            return state.nextID
        }
        return CallInFlight(self, id, end)
    }

    /// Ends the calls that the event ends.
    package func observe(_ event: Event) {
        switch event.payload {
        case .runStatusChanged(let changed) where changed.status.isFinished:
            endCalls(of: RunID(event.stream.id), reason: changed.reason)
        case .resourceDeleted(let deleted) where deleted.kind == .agent:
            end(.agentDeleted(deleted.name)) { $0.agent == deleted.name && $0.workspace == event.workspace }
        case .controlStopped(let stopped):
            let control = ControlState(stopped, event)
            end(.stopped(control)) { control.key.covers(agent: $0.agent, tool: $0.tool, in: $0.workspace) }
        default: break
        }
    }

    private func endCalls(of run: RunID, reason: String?) {
        let ends = state.withLock { state in (state.ofRuns[run] ?? []).compactMap { state.calls[$0]?.end } }
        for end in ends { end.come(.runEnded(run, reason: reason)) }
    }

    private func end(_ reason: EndedCall, where condition: (Subject) -> Bool) {
        let ends = state.withLock { state in state.calls.values.filter { condition($0.subject) }.map(\.end) }
        for end in ends { end.come(reason) }
    }

    fileprivate func forget(_ id: UInt64) {
        state.withLock { state in
            guard let run = state.calls.removeValue(forKey: id)?.subject.run else { return }
            state.ofRuns[run]?.remove(id)
            if state.ofRuns[run]?.isEmpty == true { state.ofRuns[run] = nil }
        }
    }
}

/// One call that a gateway carries.
package final class CallInFlight: Sendable {
    /// The call that the current task works on.
    @TaskLocal static var current: CallInFlight?

    private let calls: CallsInFlight
    private let id: UInt64
    let end: CallEnd

    fileprivate init(_ calls: CallsInFlight, _ id: UInt64, _ end: CallEnd) {
        self.calls = calls
        self.id = id
        self.end = end
    }

    deinit { calls.forget(id) }

    /// Answers the call; once a control ends it, cancels that work and answers the refusal.
    func answering(_ answer: @escaping @Sendable () async throws -> EgressAnswer) async throws -> EgressAnswer {
        do {
            return try await Self.$current.withValue(self) { try await end.racing(answer) }
        } catch let ended as EndedCall {
            return ended.answer
        }
    }
}

extension EndedCall {
    /// The end that the writer's rules tell of; `nil` for a rejection for another reason.
    init?(_ rejection: Rejection, of run: RunID) {
        if rejection.code == .runNotActive {
            self = .runEnded(run)
        } else if rejection.isOfStop {
            self.init(status: 403, code: rejection.code.rawValue.uppercased(), message: rejection.message)
        } else {
            return nil
        }
    }

    static func stopped(_ control: ControlState) -> EndedCall {
        EndedCall(
            status: 403, code: "\(control.key.kind.rawValue.uppercased())_STOPPED",
            message: "\(control.description); nothing is sent until an operator starts it again")
    }

    /// The client that asked has closed its connection: no one reads the answer.
    static let callerLeft = EndedCall(status: 499, code: "CALLER_LEFT", message: "the caller closed its connection")

    static func runEnded(_ run: RunID, reason: String? = nil) -> EndedCall {
        EndedCall(
            status: 409, code: "RUN_ENDED",
            message: "run \(run) is over, or there is none" + (reason.map { " (\($0))" } ?? "")
                + ": stop; what was not sent is not sent any more")
    }

    static func agentDeleted(_ agent: String) -> EndedCall {
        EndedCall(
            status: 403, code: "AGENT_UNKNOWN",
            message: "agent \(agent.excerpt) is not deployed: one that was deleted, or never deployed, calls nothing")
    }
}
