package import CommandHandling
package import Domain
import Synchronization

/// Ends what a principal has open at the moment its access ends.
///
/// Fed with the log's events, after the read models show them, and with the time: keys are revoked, rotated and expire,
/// tokens expire, people are erased, identity providers change.
package final class AccessWatch: Sendable {
    /// Something open; forgotten when nothing refers to it any more.
    final class Registration: Sendable {
        private let watch: AccessWatch
        private let id: UInt64

        fileprivate init(_ watch: AccessWatch, _ id: UInt64) {
            self.watch = watch
            self.id = id
        }

        deinit { watch.state.withLock { _ = $0.open.removeValue(forKey: id) } }
    }

    private struct Open {
        let principal: Principal
        /// The end of the access, as known now.
        var deadline = AccessDeadline()
        let end: @Sendable () -> Void
    }

    private struct State {
        var open: [UInt64: Open] = [:]
        var nextID: UInt64 = 0
        /// No open thing has an earlier deadline.
        var earliest = AccessDeadline()

        mutating func insert(_ opened: Open) -> UInt64 {
            nextID += 1
            open[nextID] = opened
            return nextID
        }
    }

    /// The longest time between two looks at the clocks: the wall clock may be set meanwhile.
    private static let lookInterval = Duration.seconds(5)

    private let now: @Sendable () -> AccessTime
    private let state = Mutex(State())
    private let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation

    package convenience init(_ clock: any WallClock) { self.init { AccessTime(clock) } }

    init(now: @escaping @Sendable () -> AccessTime) {
        self.now = now
        (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Watches the principal's access; `end` is called once, when it ends, which may be during this call.
    func register(_ principal: Principal, end: @escaping @Sendable () -> Void) -> Registration {
        let id = state.withLock { $0.insert(Open(principal: principal, end: end)) }
        let registration = Registration(self, id)
        // Only now: a change between the sign-in and the registration must not be missed.
        look(at: id, of: principal, now())
        return registration
    }

    /// Ends what the event ends. The read models show the event already.
    package func observe(_ event: Event) {
        switch event.payload {
        case .apiKeyRevoked, .apiKeyRotated:
            let caller = Actor.Kind.apiKey(APIKeyID(event.stream.id))
            look { $0.principal.caller == caller }
        case .resourceDeleted(let deleted) where deleted.kind == .agent:
            look { $0.principal.agent == deleted.name && $0.principal.workspace == event.workspace }
        case .personErasureRequested(let requested):
            end { $0.isOf(requested.userID, in: event.workspace) }
        case .resourceStored(let stored) where stored.kind == .identityProvider:
            end { $0.isSignedIn(by: stored.name, in: event.workspace) }
        case .resourceDeleted(let deleted) where deleted.kind == .identityProvider:
            end { $0.isSignedIn(by: deleted.name, in: event.workspace) }
        default: break
        }
    }

    /// Ends what expires, until the task is cancelled.
    package func run() async {
        await withDiscardingTaskGroup { group in
            var nextLook: ContinuousClock.Instant?
            for await _ in changes {
                expire()
                if let look = nextLook, look <= .now { nextLook = nil }
                guard let wait = waitForExpiry(), nextLook.map({ ContinuousClock.now + wait < $0 }) ?? true else {
                    continue
                }
                nextLook = ContinuousClock.now + wait
                group.addTask { [change] in
                    try? await Task.sleep(for: wait)
                    change.yield()
                }
            }
            group.cancelAll()
        }
    }

    private func expire() {
        let time = now()
        look { $0.deadline.isReached(at: time) }
        state.withLock { state in
            state.earliest = state.open.values.reduce(AccessDeadline()) { $0.earlier($1.deadline) }
        }
    }

    /// The time until the next look at the clock; `nil` while nothing open expires.
    private func waitForExpiry() -> Duration? {
        state.withLock { $0.earliest }.distance(from: now()).map { min(max($0, .milliseconds(1)), Self.lookInterval) }
    }

    private func look(where condition: (Open) -> Bool) {
        look(at: state.withLock { state in state.open.filter { condition($0.value) }.map(\.key) })
    }

    /// Looks at the access of some; ends what it no longer allows, and remembers until when it allows the rest.
    private func look(at ids: [UInt64]) {
        let time = now()
        for id in ids {
            guard let principal = state.withLock({ $0.open[id]?.principal }) else { continue }
            look(at: id, of: principal, time)
        }
    }

    private func look(at id: UInt64, of principal: Principal, _ time: AccessTime) {
        switch principal.access(time) {
        case .ended: end(id)
        case .granted(let deadline): setDeadline(deadline, of: id)
        }
    }

    private func setDeadline(_ deadline: AccessDeadline, of id: UInt64) {
        let isEarlier = state.withLock { state in
            state.open[id]?.deadline = deadline
            let earliest = state.earliest.earlier(deadline)
            defer { state.earliest = earliest }
            return earliest != state.earliest
        }
        if isEarlier { change.yield() }
    }

    private func end(where condition: (Principal) -> Bool) {
        for id in state.withLock({ state in state.open.filter { condition($0.value.principal) }.map(\.key) }) {
            end(id)
        }
    }

    private func end(_ id: UInt64) {
        let ended = state.withLock { $0.open.removeValue(forKey: id) }
        ended?.end()
    }
}

extension Principal {
    /// True when the person of that user id is the caller, or whom it acts for.
    fileprivate func isOf(_ userID: String, in workspace: WorkspaceName) -> Bool {
        guard self.workspace == workspace || endUser?.workspace == workspace else { return false }
        if case .person = caller, name == userID { return true }
        return endUser?.userID == userID
    }

    /// True when a token of that identity provider proves the caller, or whom it acts for.
    fileprivate func isSignedIn(by provider: String, in workspace: WorkspaceName) -> Bool {
        if case .person(let person) = caller, person.provider == provider, self.workspace == workspace { return true }
        return endUser?.provider == provider && endUser?.workspace == workspace
    }
}
