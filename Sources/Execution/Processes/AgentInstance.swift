import Domain
import Synchronization

/// One process of an agent, from the decision to start it to its end.
final class AgentInstance: Sendable {
    enum Readiness: Hashable, Sendable {
        case ready
        case failed(String)
    }

    let number: AgentLifecycle.InstanceNumber
    /// Where its socket is.
    let socketPath: String
    /// The same by a path that is short enough.
    let socketAddress: String
    let readiness = Promise<Readiness>()
    /// Fulfilled to have it stopped.
    let stop = Promise<Void>()
    /// Fulfilled when its process has ended and calls no longer go to it.
    let end = Promise<Void>()
    private let silences = Atomic<Int>(0)
    /// `nil` until the instance has a token.
    private let redaction = Mutex<AgentCatalog.Redaction?>(nil)

    init(number: AgentLifecycle.InstanceNumber, socketPath: String, socketAddress: String) {
        self.number = number
        self.socketPath = socketPath
        self.socketAddress = socketAddress
    }

    /// The address that the HTTP client takes.
    func url(_ path: String) -> String { "http+unix://\(socketAddress.percentEncoded)\(path)" }

    /// Sets the redaction of the instance's token, which is made when it starts.
    func redact(with redaction: @escaping AgentCatalog.Redaction) { self.redaction.withLock { $0 = redaction } }

    /// The text of the agent without the token of its address.
    func redacted(_ text: [UInt8]) -> [UInt8] {
        AgentTokens.masked(redaction.withLock { $0 }?(text) ?? text)
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
