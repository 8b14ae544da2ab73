import CommandHandling
import Domain
import EventStore
import Execution
import Ingestion
import Projections

extension Daemon {
    /// Reads sources, in the sandbox that agents have.
    func makeAnalyzer(_ agents: AgentProcesses) -> SourceAnalyzer {
        SourceAnalyzer { (program, input) async throws(AnalysisFailure) in
            do throws(IsolatedPython.Failure) {
                return try await agents.python.run(program, input: input)
            } catch {
                switch error {
                case .unavailable(let reason): throw .unavailable(reason)
                case .tookTooLong: throw .tookTooLong
                case .stopped(let reason): throw .failed(reason)
                }
            }
        }
    }

    /// Makes builds, where agents are built.
    func makeBuilds(
        _ store: EventStore, _ commands: CommandHandler, _ projections: Projections, _ agents: AgentProcesses
    ) -> BuildDriver {
        BuildDriver(
            commands: commands, store: store,
            workshop: BuildDriver.Workshop(
                order: { id, workspace in
                    try await projections.untilWhole(showing: store) {
                        try await projections.build(id, in: workspace).map {
                            BuildDriver.Order(document: $0.document.value, image: $0.image)
                        }
                    }
                },
                make: { order in
                    let made = await agents.build(order.document, image: order.image)
                    return BuildFinished(
                        error: made.error, log: made.log, imageID: made.imageID, imageError: made.imageError)
                }), logger: logger)
    }
}
