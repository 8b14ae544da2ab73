import Domain
import TestSupport

/// A server's past, decided by the rules themselves: an agent's key, deployed agents, and runs that took turns.
///
/// The open runs are the newest and less than a day old, so that nothing has expired when the daemon starts.
struct History {
    static let agents = ["billing", "refunds", "support", "shipping"]

    /// How many runs are under way at the same time.
    private static let runsAtOnce = 64
    private static let commandInterval = Duration.milliseconds(100)
    private static let sampleCount = 1000

    /// Some of the finished runs, from all of the past.
    private(set) var sample: [RunID] = []

    private let finishedCount: Int
    private let runCount: Int
    private let key: APIKeyID
    private let settings = DecisionSettings()
    private var random = SeededRandom(seed: 42)
    private var state = ActiveState()
    private var now: Timestamp
    private var begunCount = 0
    private var runs: [TypicalRun] = []
    private var isBegun = false

    /// - Parameter end: when the last command comes, or a little earlier.
    init(finishedCount: Int, openCount: Int, end: Timestamp) {
        self.finishedCount = finishedCount
        runCount = finishedCount + openCount
        let commandCount = runCount * TypicalRun.commandCount + 2
        now = end.adding(Self.commandInterval * -commandCount)
        key = APIKeyID(Self.uuid(now, &random))
    }

    /// The next events, at least `count` of them and no command's torn apart; none at the end.
    mutating func events(_ count: Int) throws -> [Event] {
        var events: [Event] = []
        events.reserveCapacity(count + 8)
        if !isBegun {
            isBegun = true
            for command in foundations() { events += try decided(command) }
        }
        while events.count < count, let command = nextCommand() { events += try decided(command) }
        return events
    }

    private mutating func nextCommand() -> Command? {
        while runs.count < Self.runsAtOnce, begunCount < runCount { begin() }
        guard !runs.isEmpty else { return nil }
        let index = Int(random.next() % UInt64(runs.count))
        let command = runs[index].nextCommand(&random)
        if runs[index].isOver {
            runs.swapAt(index, runs.endIndex - 1)
            runs.removeLast()
        }
        return command
    }

    /// The runs that stay open stop everywhere on their way.
    private mutating func begin() {
        let openNumber = begunCount - finishedCount
        let commandsMax = openNumber < 0 ? TypicalRun.commandCount : 1 + openNumber % (TypicalRun.commandCount - 1)
        let id = RunID(Self.uuid(now, &random))
        if openNumber < 0, begunCount % max(finishedCount / Self.sampleCount, 1) == 0 { sample.append(id) }
        runs.append(
            TypicalRun(
                begunCount, id: id, action: ActionID(Self.uuid(now, &random)), commandsMax: commandsMax, &random))
        begunCount += 1
    }

    private mutating func foundations() -> [Command] {
        let created = APIKeyCreated(
            name: "ci", role: .agent, digest: random.hex(32), prefix: "ra_ws_", last4: "7f3a", expiresAt: nil)
        let items = Self.agents.map { name in
            StoreResources.Item(
                kind: .agent, name: name, newID: ResourceID(Self.uuid(now, &random)),
                document: JSONText(verified: #"{"image":"registry.example.com/\#(name):1"}"#))
        }
        return [.createAPIKey(id: key, created), .storeResources(StoreResources(items: items))]
    }

    private mutating func decided(_ command: Command) throws -> [Event] {
        now = now.adding(Self.commandInterval)
        let context = DecisionContext(
            time: now, workspace: .default, actor: Actor(kind: .apiKey(key), name: "ci"),
            commandID: EventID(Self.uuid(now, &random)), idempotency: nil, traceparent: nil, settings: settings)
        let events = try state.decide(command, context)
        for event in events { state.evolve(event) }
        return events
    }

    /// A UUIDv7 of that time.
    private static func uuid(_ time: Timestamp, _ random: inout SeededRandom) -> UUIDValue {
        UUIDValue(
            high: UInt64(time.microseconds / 1000) << 16 | 0x7000 | random.next() & 0xfff,
            low: 1 << 63 | random.next() >> 6)
    }
}
