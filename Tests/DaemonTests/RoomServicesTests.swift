import Daemon
import Logging
import ServiceLifecycle
import Synchronization
import Testing

/// The end of services that run until a shutdown.
@Suite struct RoomServicesTests {
    private struct Failure: Error {}

    /// The order in which services ended.
    private final class Ends: Sendable {
        private let noted = Mutex<[String]>([])

        var names: [String] { noted.withLock { $0 } }

        func note(_ name: String) { noted.withLock { $0.append(name) } }
    }

    private let ends = Ends()

    /// A service that ends at its shutdown, as those of the rooms do.
    private func lasting(_ name: String) -> LoopService {
        LoopService(name) { [ends] in
            defer { ends.note(name) }
            try await gracefulShutdown()
        }
    }

    private func services(_ others: LoopService...) -> RoomServices {
        RoomServices(others, logger: Logger(label: "test"))
    }

    @Test func aServiceThatEndsIsNamedAndEndsTheOthersInOrder() async {
        let ended = LoopService("short") {}
        let error = await #expect(throws: DaemonError.self) {
            try await services(lasting("first"), ended, lasting("last")).run()
        }
        #expect(error?.code == .serviceEnded && error?.code.exitCode == 70)
        #expect(error?.description.contains("\"short\"") == true)
        #expect(ends.names == ["last", "first"])
    }

    @Test func aCancellationThatWasNotAskedForIsAnEnd() async {
        let error = await #expect(throws: DaemonError.self) {
            try await services(lasting("first"), LoopService("cancelled") { throw CancellationError() }).run()
        }
        #expect(error?.code == .serviceEnded && error?.description.contains("\"cancelled\"") == true)
    }

    @Test func theErrorOfAServiceIsTheErrorOfAll() async {
        await #expect(throws: Failure.self) {
            try await services(lasting("first"), LoopService("failing") { throw Failure() }).run()
        }
        #expect(ends.names == ["first"])
    }

    /// A service that runs the others, as the daemon's rooms are one.
    private struct Outer: Service {
        let services: RoomServices

        func run() async throws { try await services.run() }
    }

    @Test func aShutdownThatWasAskedForIsNoEnd() async throws {
        let (started, start) = AsyncStream<Void>.makeStream()
        let beginning = LoopService("beginning") {
            start.finish()
            try await gracefulShutdown()
        }
        let outer = Outer(services: services(lasting("first"), beginning, lasting("last")))
        let group = ServiceGroup(services: [outer], logger: Logger(label: "test"))
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await group.run() }
            for await _ in started {}
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        #expect(ends.names == ["last", "first"])
    }
}
