import CommandHandling
import Domain
import Gateways
import Synchronization

enum Fixture {
    static let owner = ResourceKey(workspace: .default, kind: .tool, name: "stripe")
    static let start = Timestamp(microseconds: 1_790_000_000_000_000)

    static func injector(
        _ authentication: Authentication, _ secrets: [String: String], endpoint: any TokenEndpoint = ScriptedEndpoint(),
        clock: any WallClock = ManualClock()
    ) throws -> any CredentialInjector {
        try CredentialStore.injector(authentication, secrets, owner, endpoint, clock)
    }

    static func call(_ url: String = "https://x.test/a", _ headers: [(String, String)] = []) -> OutgoingCall {
        OutgoingCall(method: "GET", url: url, headers: headers.map { ($0.0, $0.1) }, body: [])
    }

    static func authentication(_ json: String) throws -> Authentication {
        try Authentication(try JSONValue(parsing: Array(json.utf8)))
    }
}

/// A clock that a test sets.
final class ManualClock: WallClock {
    private let times: Mutex<(event: Timestamp, wall: Timestamp)>

    init(_ time: Timestamp = Fixture.start) { times = Mutex((time, time)) }

    func now() -> Timestamp { times.withLock { $0.event } }
    func wallTime() -> Timestamp { times.withLock { $0.wall } }
    func advance(_ duration: Duration) {
        times.withLock { $0 = ($0.event.adding(duration), $0.wall.adding(duration)) }
    }
    /// Sets the wall clock by a step that events do not follow.
    func step(_ duration: Duration) { times.withLock { $0.wall = $0.wall.adding(duration) } }
}

/// Gives tokens `token-1`, `token-2`, … once it is let to.
final class ScriptedEndpoint: TokenEndpoint {
    private struct State {
        var requests: [TokenRequest] = []
        var isClosed = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let lifetime: Duration
    private let state = Mutex(State())

    init(lifetime: Duration = .seconds(3600)) { self.lifetime = lifetime }

    var requests: [TokenRequest] { state.withLock { $0.requests } }
    /// Lets every further request wait for `open`.
    func close() { state.withLock { $0.isClosed = true } }
    func open() {
        let waiting = state.withLock { state in
            state.isClosed = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in waiting { waiter.resume() }
    }

    func token(_ request: TokenRequest, askedAt time: Timestamp) async throws(CredentialError) -> AccessToken {
        let number = state.withLock { state in
            state.requests.append(request)
            return state.requests.count
        }
        await withCheckedContinuation { waiter in
            let isOpen = state.withLock { state in
                if state.isClosed { state.waiting.append(waiter) }
                return !state.isClosed
            }
            if isOpen { waiter.resume() }
        }
        if Task.isCancelled { throw CredentialError(.tokenUnreachable, "cancelled") }
        return AccessToken("token-\(number)", lifetime: lifetime, askedAt: time)
    }
}
