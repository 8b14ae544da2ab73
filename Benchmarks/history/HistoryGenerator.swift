import CommandHandling
import EventLog
import EventStore
import Logging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes the log of a server with a past, and prints the ids of some of its finished runs. Arguments: the data
/// directory, how many runs are finished, how many open.
///
/// The read models are made by `sluice projections rebuild`.
@main
struct HistoryGenerator {
    /// About what a busy server writes as one frame.
    private static let frameEvents = 256

    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let finishedCount = Int(arguments[2]), let openCount = Int(arguments[3]) else {
            print("usage: HistoryGenerator DATA-DIRECTORY FINISHED-RUNS OPEN-RUNS")
            exit(64)
        }
        mkdir(arguments[1], 0o700)
        let storage = UnsyncedStorage(try PosixLogStorage(directory: arguments[1] + "/log"))
        let (log, _) = try EventLog.open(storage, logger: Logger(label: "history"))
        let store = await EventStore(backend: FileLogBackend(log))
        var history = History(finishedCount: finishedCount, openCount: openCount, end: SystemWallClock().now())
        var next = try history.events(frameEvents)
        while !next.isEmpty {
            // One batch is encoded and written while the next one is decided.
            let batch = next
            async let written = store.append(batch)
            next = try history.events(frameEvents)
            _ = try await written
        }
        try await store.close()
        sync()
        for id in history.sample { print(id) }
    }
}
