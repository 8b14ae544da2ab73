package import Domain
import Synchronization
import UnixSignals

/// Follows the events of a running daemon, through its restarts: each is handed out once, in order.
package struct EventTail: Sendable {
    /// Which events.
    package struct Selection: Hashable, Sendable {
        package var runID: RunID?
        package var agent: String?
        /// Names of types; empty means all.
        package var types: [String] = []
        /// `nil` is the key's own.
        package var workspace: WorkspaceName?

        package init() {}
    }

    private struct State {
        var reader = ServerSentEventReader()
        var position: UInt64
        var isConnected = false
        var wasConnected = false
        var isDone = false
        var failure: DaemonError?
    }

    private static let pauseMin = Duration.milliseconds(250)
    private static let pauseMax = Duration.seconds(10)

    private let client: APIClient
    private let selection: Selection

    package init(_ client: APIClient, _ selection: Selection) {
        self.client = client
        self.selection = selection
    }

    /// Runs until `take` wants no more, or SIGINT or SIGTERM comes.
    ///
    /// - Parameters:
    ///   - start: the position after which to begin; `nil` is the newest one.
    ///   - notice: is told when the connection is lost.
    ///   - take: answers whether it wants more.
    /// - Throws: `DaemonError`, when the daemon cannot be reached at first, or refuses.
    package func run(
        after start: UInt64?, notice: @escaping @Sendable (String) -> Void,
        take: @escaping @Sendable (ServerSentEvent) -> Bool
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await follow(after: start, notice, take) }
            group.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { return }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func follow(
        after start: UInt64?, _ notice: @Sendable (String) -> Void,
        _ take: @escaping @Sendable (ServerSentEvent) -> Bool
    ) async throws {
        // A position of the beginning, so that nothing is missed when the connection breaks before the first event.
        let position = if let start { start } else { try await newestPosition() }
        let state = Mutex(State(position: position))
        var pause = Self.pauseMin
        while true {
            let after = state.withLock { state in
                (state.reader, state.isConnected) = (ServerSentEventReader(), false)
                return state.position
            }
            do {
                try await client.follow(path(after: after), headers: headers) { bytes in
                    state.withLock { Self.receive(bytes, &$0, take) }
                }
            } catch let error as DaemonError {
                if Task.isCancelled { return }
                let canWait = error.code == .daemonUnreachable || error.code == .requestRefused
                guard canWait, state.withLock({ $0.wasConnected }) else { throw error }
            }
            let (isDone, wasConnected, failure) = state.withLock { ($0.isDone, $0.isConnected, $0.failure) }
            if let failure { throw failure }
            if isDone || Task.isCancelled { return }
            if wasConnected {
                pause = Self.pauseMin
                notice("the connection is lost; trying to go on where it was")
            }
            do { try await Task.sleep(for: pause) } catch { return }
            pause = min(pause * 2, Self.pauseMax)
        }
    }

    /// Whether more is wanted.
    private static func receive(
        _ bytes: [UInt8], _ state: inout State, _ take: (ServerSentEvent) -> Bool
    ) -> Bool {
        (state.isConnected, state.wasConnected) = (true, true)
        do throws(ServerSentEventReader.LineTooLong) {
            for event in try state.reader.take(bytes) {
                guard let position = event.id.flatMap(UInt64.init) else { continue }
                state.position = position
                guard take(event) else {
                    state.isDone = true
                    return false
                }
            }
            return true
        } catch {
            state.failure = DaemonError(.requestRefused, "the daemon's answer is no stream of events")
            return false
        }
    }

    private func newestPosition() async throws -> UInt64 {
        guard case .number(let text)? = try await client.request("GET", "/readyz")["position"],
            let position = UInt64(text)
        else { throw DaemonError(.requestRefused, "the daemon does not say how far its log has come") }
        return position
    }

    private var headers: [(name: String, value: String)] {
        selection.workspace.map { [("X-Workspace-Namespace", $0.text)] } ?? []
    }

    private func path(after position: UInt64) -> String {
        var parameters = ["after_seq=\(position)"]
        if let run = selection.runID { parameters.append("run=\(run)") }
        if let agent = selection.agent { parameters.append("agent=\(agent.percentEncoded)") }
        if !selection.types.isEmpty {
            parameters.append("type=" + selection.types.map(\.percentEncoded).joined(separator: ","))
        }
        return "/events/stream?" + parameters.joined(separator: "&")
    }
}
