import Domain
import Synchronization

/// One process of an agent, from the decision to start it to its end.
final class AgentInstance: Sendable {
    enum Readiness: Hashable, Sendable {
        case ready
        case failed(String)
    }

    let number: AgentLifecycle.InstanceNumber
    /// The version of the agent that it runs.
    let version: AgentVersion
    /// Where its socket is.
    let socketPath: String
    /// The same by a path that is short enough.
    let socketAddress: String
    let readiness = Promise<Readiness>()
    /// Fulfilled to have it stopped.
    let stop = Promise<Void>()
    /// Fulfilled to have it stopped at once, whatever it is doing.
    let kill = Promise<Void>()
    /// Fulfilled when its process has ended and calls no longer go to it.
    let end = Promise<Void>()
    let invokes = InstanceInvokes()
    /// Held by the run that the instance is at, where it takes one run at a time.
    private let turn: AsyncPlaces?
    private let silences = Atomic<Int>(0)
    /// `nil` until the instance has a token.
    private let redaction = Mutex<AgentCatalog.Redaction?>(nil)

    init(
        number: AgentLifecycle.InstanceNumber, version: AgentVersion, socketPath: String, socketAddress: String
    ) {
        self.number = number
        self.version = version
        turn = version.definition.isolatesRuns ? AsyncPlaces(count: 1) : nil
        self.socketPath = socketPath
        self.socketAddress = socketAddress
    }

    /// True once it is to be stopped.
    var isStopping: Bool { stop.current != nil || kill.current != nil }

    /// The address that the HTTP client takes.
    func url(_ path: String) -> String { "http+unix://\(socketAddress.percentEncoded)\(path)" }

    /// Sets the redaction of the instance's token, which is made when it starts.
    func redact(with redaction: @escaping AgentCatalog.Redaction) { self.redaction.withLock { $0 = redaction } }

    /// The text of the agent without the token of its address.
    func redacted(_ text: [UInt8]) -> [UInt8] {
        AgentTokens.masked(redaction.withLock { $0 }?(text) ?? text)
    }

    /// Makes the invoke once the instance takes it; `nil` when the task is cancelled before.
    func perform(_ call: InvokeCall, _ invoke: () async -> InvokeResult) async -> InvokeResult? {
        if let turn {
            guard await turn.take() else { return nil }
        }
        let begun = InstanceInvokes.Invoke(run: call.runID, requestID: call.requestID)
        invokes.begin(begun)
        let result = await invoke()
        if case .answered = result { invokes.end(begun) } else { invokes.abandon(begun) }
        if let turn {
            // A handler that goes on would be attributed to the next run.
            if case .answered = result {} else { stop.fulfill(()) }
            turn.giveBack()
        }
        return result
    }

    /// Counts health checks in a row without an answer.
    func noteHealth(_ answers: Bool) -> Int {
        if answers {
            silences.store(0, ordering: .relaxed)
            return 0
        }
        return silences.add(1, ordering: .relaxed).newValue
    }
}
