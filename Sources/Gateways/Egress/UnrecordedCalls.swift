import CommandHandling
import Domain
import Logging

/// Calls whose outcome could not be recorded while the writer took nothing: they are recorded as unknown once it does.
///
/// The next start records the rest, as it does any interrupted call.
struct UnrecordedCalls: Sendable {
    private struct Call: Sendable {
        let run: RunID
        let workspace: WorkspaceName
        let id: ToolCallID
    }

    private static let callsMax = 4096
    private static let pauseMin = Duration.milliseconds(500)
    private static let pauseMax = Duration.seconds(10)

    private let commands: CommandHandler
    private let logger: Logger
    private let calls: AsyncStream<Call>
    private let call: AsyncStream<Call>.Continuation

    init(_ commands: CommandHandler, _ logger: Logger) {
        self.commands = commands
        self.logger = logger
        (calls, call) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.callsMax))
    }

    /// Takes over a call; it stays open until its outcome is recorded.
    func append(_ id: ToolCallID, of run: RunState) {
        call.yield(Call(run: run.id, workspace: run.workspace, id: id))
    }

    /// Records one call after the other, until the task is cancelled.
    func run() async {
        for await call in calls {
            do {
                try await record(call)
            } catch {
                logger.warning(
                    "unrecorded call left open",
                    metadata: ["run": "\(call.run)", "call": "\(call.id)", "error": "\(error)"])
            }
        }
    }

    private func record(_ call: Call) async throws {
        var pause = Self.pauseMin
        while true {
            do throws(CommandError) {
                _ = try await commands.execute(
                    .recordInterruptedCall(run: call.run, call.id),
                    CommandRequest(workspace: call.workspace, actor: .gateway))
                return
            } catch {
                switch error {
                case .overloaded, .readOnly: break
                case .rejected, .idempotencyMismatch, .stopped: throw error
                }
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, Self.pauseMax)
        }
    }
}
