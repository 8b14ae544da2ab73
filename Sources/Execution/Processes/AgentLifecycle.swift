/// When an agent's process is started, tried, used, replaced and stopped. Pure: the shell performs what the answers say.
///
/// Times are the time since any fixed moment.
package struct AgentLifecycle: Hashable, Sendable {
    package typealias InstanceNumber = UInt64

    package struct Limits: Hashable, Sendable {
        package var backoffMin: Duration = .seconds(1)
        package var backoffMax: Duration = .seconds(60)
        /// An instance that has lived this long has not crashed at its start.
        package var steadyAfter: Duration = .seconds(60)
        package var crashesMax: UInt32 = 5

        package init() {}
    }

    private enum State: Hashable, Sendable {
        case stopped
        /// Started, or about to be, and not yet answering.
        case starting(InstanceNumber)
        case ready(InstanceNumber, since: Duration)
    }

    package enum Demand: Hashable, Sendable {
        /// A call may go there; it has to be given back.
        case use(InstanceNumber)
        case wait(InstanceNumber)
        /// To be started after that long, and waited for.
        case start(InstanceNumber, after: Duration)
    }

    package enum Exit: Hashable, Sendable {
        /// It was told to stop.
        case expected
        /// It crashed, and the next one is to be started after that long.
        case restart(InstanceNumber, after: Duration)
        /// It crashes again and again: the next one is started when a call needs it.
        case crashLoop
    }

    private let limits: Limits
    private var state = State.stopped
    private var calls: [InstanceNumber: Int] = [:]
    private var retired: Set<InstanceNumber> = []
    /// Instances of versions that do not serve yet.
    private var trials: Set<InstanceNumber> = []
    private var lastNumber: InstanceNumber = 0
    private var lastUse: Duration = .zero
    /// When the next start is allowed after a crash.
    private var notBefore: Duration = .zero
    package private(set) var crashes: UInt32 = 0

    package init(_ limits: Limits = Limits()) { self.limits = limits }

    /// A call wants to be made.
    package mutating func demand(at now: Duration) -> Demand {
        lastUse = now
        switch state {
        case .ready(let number, _):
            calls[number, default: 0] += 1
            return .use(number)
        case .starting(let number): return .wait(number)
        case .stopped: return .start(begin(), after: max(.zero, notBefore - now))
        }
    }

    /// The call is over. Answers the instance that is to be stopped now, because it was replaced and this was its last.
    package mutating func giveBack(_ number: InstanceNumber, at now: Duration) -> InstanceNumber? {
        lastUse = now
        guard let count = calls[number] else { return nil }
        calls[number] = count > 1 ? count - 1 : nil
        return count == 1 && retired.contains(number) ? number : nil
    }

    package mutating func answers(_ number: InstanceNumber, at now: Duration) {
        if case .starting(number) = state { state = .ready(number, since: now) }
    }

    /// Its process has ended.
    package mutating func ended(_ number: InstanceNumber, at now: Duration) -> Exit {
        calls[number] = nil
        if retired.remove(number) != nil || trials.remove(number) != nil { return .expected }
        switch state {
        case .ready(number, let since):
            if now - since >= limits.steadyAfter { crashes = 0 }
        case .starting(number): break
        case .stopped, .starting, .ready: return .expected
        }
        state = .stopped
        crashes += 1
        let doublings = min(crashes - 1, 20)
        let pause = min(limits.backoffMin * Int(1 << doublings), limits.backoffMax)
        notBefore = now + pause
        guard crashes < limits.crashesMax else { return .crashLoop }
        return .restart(begin(), after: pause)
    }

    /// The instance is not to get calls any more: a redeploy, a delete, an idle one, or one whose place is needed.
    /// Answers its number, and whether it is to be stopped at once because no call is in flight.
    package mutating func retire() -> (number: InstanceNumber, isIdle: Bool)? {
        switch state {
        case .stopped: return nil
        case .starting(let number), .ready(let number, _):
            state = .stopped
            retired.insert(number)
            return (number, calls[number] == nil)
        }
    }

    /// The same for one instance; `nil` when it gets no calls already.
    package mutating func retire(_ number: InstanceNumber) -> (number: InstanceNumber, isIdle: Bool)? {
        switch state {
        case .starting(number), .ready(number, _): retire()
        case .stopped, .starting, .ready: nil
        }
    }

    /// An instance of a later version is started beside the one that serves. It gets no calls.
    package mutating func beginTrial() -> InstanceNumber {
        lastNumber += 1
        trials.insert(lastNumber)
        return lastNumber
    }

    /// The instance on trial answers: it gets the calls from now on.
    ///
    /// - Returns: the instance that it replaces, as `retire` does.
    package mutating func promote(_ number: InstanceNumber, at now: Duration) -> (number: InstanceNumber, isIdle: Bool)?
    {
        guard trials.remove(number) != nil else { return nil }
        let replaced = retire()
        forgive()
        (state, lastUse) = (.ready(number, since: now), now)
        return replaced
    }

    /// A redeploy brings new code: what crashed before says nothing of it.
    package mutating func forgive() {
        crashes = 0
        notBefore = .zero
    }

    /// Since when nothing has been asked of a ready instance without calls; `nil` when there is none.
    package var idleSince: Duration? {
        if case .ready(let number, _) = state, calls[number] == nil { lastUse } else { nil }
    }

    package var hasInstance: Bool { state != .stopped }

    private mutating func begin() -> InstanceNumber {
        lastNumber += 1
        state = .starting(lastNumber)
        return lastNumber
    }
}
