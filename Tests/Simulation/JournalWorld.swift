import Domain
import Scheduling
import TestSupport

/// A bug of the journal that the worlds of it have to find.
package enum PlantedJournalBug: String, CaseIterable, Sendable {
    /// The number of a call within its attempt is part of its identity.
    case numberInIdentity
    /// A superseded attempt passes for the live one.
    case attemptNotFenced
    /// What a waiting run is refused is performed all the same.
    case pauseNotEnforced
}

/// One run of an agent that pays: its handler with threads, the rules, the scheduler, a tool, an approver and crashes, all
/// from one seed.
///
/// The tool counts the payments that reach it. Whatever happens, each payment of the handler reaches it once, or a person
/// agreed to one more because the outcome of an earlier one was unknown.
package struct JournalWorld {
    /// One step of a thread: a payment, or a question that is asked as often as chance has it.
    struct Step {
        let body: UInt64
        let isPayment: Bool
        let needsApproval: Bool
    }

    /// A running attempt of the handler.
    struct Handler {
        let attemptID: String
        let invoke: InvokeProgress
        var threads: [Thread]
        var callCount: UInt64 = 0
        /// False once the attempt is over while the handler goes on.
        var isLive = true
        var isRefused = false
        var blocked: [(action: ActionID, step: Int)] = []
    }

    struct Thread {
        let steps: [Step]
        var next: Int
        /// The call that it waits for.
        var call: ToolCall?
        var isStopped = false
        var pollsLeft = 0

        var isDone: Bool { next >= steps.count }
    }

    /// A call that was sent, and not answered yet.
    struct Flight {
        let call: ToolCall
        let isPayment: Bool
    }

    package struct Statistics: Sendable {
        package internal(set) var payments = 0
        package internal(set) var attempts = 0
        package internal(set) var isCompleted = false
    }

    private static let stepsMax = 20_000
    static let tool = "https://bank.test/pay"

    let bug: PlantedJournalBug?
    var random: SeededRandom
    var active = ActiveState()
    var scheduler: SchedulerState
    var now = Timestamp(microseconds: 1_790_000_000_000_000)
    let run: RunID
    let program: [[Step]]
    /// True for a built-in loop, which goes on from its checkpoint; else the handler starts from the top.
    let isLoop: Bool
    var handlers: [Handler] = []
    var flights: [ToolCallID: Flight] = [:]
    var loopCheckpoints: [ActionID: Int] = [:]
    /// What reached the tool, and what the agent was answered, by body.
    var performed: [UInt64: Int] = [:]
    var repeatsAllowed: [UInt64: Int] = [:]
    var statistics = Statistics()
    var end: RunStatus?
    private var counter: UInt64 = 0

    private init(seed: UInt64, bug: PlantedJournalBug?) {
        self.bug = bug
        var random = SeededRandom(seed: seed)
        let isLoop = random.chance(20)
        let threadCount = isLoop ? 1 : Int.random(in: 1...4, using: &random)
        let bodyCount = UInt64.random(in: 1...5, using: &random)
        let approvals = random.pick([0, 20, 50])
        program = (0..<threadCount).map { _ in
            (0..<Int.random(in: 1...5, using: &random)).map { _ in
                let body = UInt64.random(in: 1...bodyCount, using: &random)
                // The policy decides by the bytes, so that like calls meet the same rule.
                return Step(body: body, isPayment: random.chance(75), needsApproval: Int(body * 37 % 100) < approvals)
            }
        }
        self.isLoop = isLoop
        run = RunID(UUIDValue(high: 0x0193_0000_0000_7000, low: 0x8000_0000_0000_0001))
        var configuration = SchedulerConfiguration()
        configuration.invokeAttemptsMax = 30
        scheduler = SchedulerState(ActiveState(), configuration)
        self.random = random
    }

    /// Runs one world; the same seed runs the same one.
    ///
    /// - Throws: `SimulationFailure` when a payment was made twice or is missing.
    package static func run(seed: UInt64, bug: PlantedJournalBug? = nil) throws -> Statistics {
        var world = JournalWorld(seed: seed, bug: bug)
        try world.send(
            .createRun(
                CreateRun(
                    runID: world.run, agentID: "payments", userID: "u", conversationID: nil,
                    invokeURL: "http://agent/invoke", initialMessage: nil)))
        for _ in 0..<stepsMax where world.end == nil { try world.step() }
        guard world.end != nil else { throw SimulationFailure(7, "the run comes to no end") }
        // Superseded handlers may go on for as long as they like.
        for _ in 0..<50 { try world.moveHandler() }
        try world.checkPayments()
        world.statistics.isCompleted = world.end == .completed
        return world.statistics
    }

    private mutating func step() throws {
        switch Int.random(in: 0..<1000, using: &random) {
        case 0..<600: try moveHandler()
        case 600..<800: try land()
        case 800..<860: try decide()
        case 860..<950: try schedule()
        case 950..<985: try endAttempt()
        default: try crash()
        }
    }

    mutating func newID<Entity>() -> Identifier<Entity> {
        counter += 1
        return Identifier(UUIDValue(high: 0x0193_0000_0000_7000, low: 0x8000_0000_0000_0000 | (counter + 1) << 8))
    }

    @discardableResult
    mutating func send(_ command: Command, attemptID: String? = nil) throws(Rejection) -> [EventPayload] {
        let context = DecisionContext(
            time: now, workspace: .default, actor: .scheduler, attemptID: attemptID, commandID: newID(),
            idempotency: nil, traceparent: nil, settings: DecisionSettings())
        let events = try active.decide(command, context)
        for event in events {
            active.evolve(event)
            scheduler.on(event)
            if case .runStatusChanged(let changed) = event.payload, changed.status.isFinished { end = changed.status }
        }
        return events.map(\.payload)
    }

    /// Attempts that are due begin; when nothing else can happen, the clock goes on.
    private mutating func schedule() throws {
        let due = scheduler.due(at: now)
        for item in due {
            try send(item.command)
            if case .requestInvoke(_, let requested) = item.command { begin(requested) }
        }
        let isIdle = due.isEmpty && flights.isEmpty && !handlers.contains(where: \.isLive)
        if isIdle, active.runs[run]?.hasBlockedAction == false, let next = scheduler.nextDeadline {
            now = max(now, next)
        }
    }

    private mutating func begin(_ requested: InvokeRequested) {
        guard let open = active.runs[run]?.openInvoke else { return }
        statistics.attempts += 1
        var start = 0
        if isLoop, case .resume(let action) = requested.purpose { start = loopCheckpoints[action] ?? 0 }
        handlers.append(
            Handler(
                attemptID: requested.requestID, invoke: open,
                threads: program.map { Thread(steps: $0, next: isLoop ? start : 0) }))
    }

    /// A person decides one of the blocked actions, in any order.
    private mutating func decide() throws {
        guard let blocked = active.runs[run]?.actions.filter({ $0.status == .blocked }), !blocked.isEmpty else {
            return
        }
        let action = random.pick(blocked)
        guard random.chance(97) else {
            try send(.rejectAction(run: run, action: action.id, reason: nil))
            return
        }
        try send(.approveAction(run: run, action: action.id, payloadHash: action.payloadHash, reason: nil))
    }

    /// The daemon is killed: what is in flight is of unknown outcome, and the open attempt is over.
    private mutating func crash() throws {
        for id in flights.keys.sorted() {
            if let flight = flights.removeValue(forKey: id), flight.isPayment, random.chance(50) {
                perform(flight.call)
            }
        }
        for call in active.runs[run]?.calls.open ?? [] { try send(.recordInterruptedCall(run: run, call.id)) }
        for index in handlers.indices { abandon(index, keepsRunning: random.chance(50)) }
        handlers.removeAll { $0.threads.allSatisfy(\.isStopped) }
        guard let open = active.runs[run]?.openInvoke else { return }
        try send(.failInvoke(run: run, failure(of: open, statusCode: nil)))
    }

    private func checkPayments() throws {
        var expected: [UInt64: Int] = [:]
        for step in program.joined() where step.isPayment { expected[step.body, default: 0] += 1 }
        for body in Set(expected.keys).union(performed.keys).sorted() {
            let (made, wanted) = (performed[body] ?? 0, expected[body] ?? 0)
            try check(
                made <= wanted + (repeatsAllowed[body] ?? 0), 19,
                "payment \(body) was made \(made) times instead of \(wanted)")
            try check(end != .completed || made >= wanted, 19, "payment \(body) was made \(made) times of \(wanted)")
        }
    }
}
