import CommandHandling
import Domain
import Scheduling
import TestSupport

extension Simulation {
    /// The scheduler has its turn.
    mutating func schedule() throws {
        for due in process?.scheduler.due(at: now) ?? [] {
            try submit(due.command, due.workspace, .scheduler(due))
        }
    }

    /// The answers of agents that have come by now are reported.
    mutating func deliver() throws {
        guard let deliveries = process?.deliveries else { return }
        process?.deliveries = deliveries.filter { $0.time > now }
        for delivery in deliveries where delivery.time <= now {
            try submit(delivery.command, delivery.workspace, .executor(delivery))
        }
    }

    /// Calls the agent for an invoke that is recorded: it answers soon, late, twice, with a failure, or never.
    mutating func callAgent(_ event: Event) {
        guard case .invokeRequested(let requested) = event.payload else { return }
        statistics.invokes += 1
        let run = RunID(event.stream.id)
        let isRetryable = random.chance(80)
        func failure(_ error: String) -> Command {
            .failInvoke(
                run: run,
                InvokeFailed(
                    purpose: requested.purpose, attempt: requested.attempt, statusCode: nil, error: error,
                    isRetryable: isRetryable))
        }
        let success = Command.completeInvoke(
            run: run,
            InvokeCompleted(
                purpose: requested.purpose, attempt: requested.attempt, statusCode: 200, response: nil,
                outcome: random.chance(80) ? .finished : random.pick(InvokeOutcome.allCases)))
        var answers: [(after: Duration, command: Command)] = [
            (.milliseconds(Int.random(in: 0...20_000, using: &random)), random.chance(65) ? success : failure("503"))
        ]
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<10: answers = [(.seconds(300), failure("no answer"))]
        case 10..<20: answers.append((.milliseconds(Int.random(in: 0...60_000, using: &random)), success))
        default: break
        }
        for answer in answers {
            process?.deliveries.append(
                SimulatedProcess.Delivery(
                    time: now.adding(answer.after), command: answer.command, workspace: event.workspace))
        }
    }
}
