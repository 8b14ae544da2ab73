package import Domain

/// Writes logs that could have happened: random commands, decided by the real rules.
///
/// Every event is one that `decide` gave, so a reader of the log sees what it would see in service: runs of several
/// workspaces interleaved, approvals, expiries, retries, resources and keys that come and go, awkward texts, and a
/// clock that now and then steps back. The same seed gives the same log.
package struct LogGenerator: Sendable {
    /// The write side at the end of the log so far.
    package private(set) var state = ActiveState()
    /// The last position given out.
    package private(set) var position = Position.zero
    /// How many commands the rules refused.
    package private(set) var rejectionCount = 0

    /// Whether some decisions have a signature, which verifies nowhere.
    package var hasSignatures = true

    var random: SeededRandom
    var now = Timestamp(microseconds: 1_790_000_000_000_000)
    var workspace = WorkspaceName.default
    /// Runs, requests and keys that may still be acted on; the finished ones drop out when they are met.
    var runs: [RunID] = []
    var requests: [AccessRequestID] = []
    var keys: [APIKeyID] = []
    let settings = DecisionSettings()
    private var idCount: UInt64 = 0

    package init(seed: UInt64) { random = SeededRandom(seed: seed) }

    package static let workspaces = ["default", "team-a", "w"].compactMap { WorkspaceName($0) }

    /// The next events, at least `count` of them: a command's events are never torn apart.
    package mutating func events(_ count: Int) -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        events.reserveCapacity(count)
        while events.count < count { events += nextCommand() }
        return events
    }

    /// The events of one command; none when the rules refuse it or find everything done.
    package mutating func nextCommand() -> [RecordedEvent] {
        now = now.adding(.milliseconds(Int.random(in: random.chance(2) ? -500...0 : 0...900, using: &random)))
        workspace = random.pick(Self.workspaces)
        let command = randomCommand()
        let actor =
            random.chance(70)
            ? Actor(kind: .apiKey(keys.last ?? newID()), name: random.pick(Self.people))
            : random.chance(50) ? person() : .scheduler
        let commandID: EventID = newID()
        let context = DecisionContext(
            time: now, workspace: workspace, actor: actor, commandID: commandID,
            idempotency: random.chance(20)
                ? IdempotencyToken(key: "key-\(idCount)", fingerprint: commandID.value) : nil,
            traceparent: random.chance(10) ? "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" : nil,
            settings: settings)
        do {
            return record(try state.decide(command, context))
        } catch {
            rejectionCount += 1
            return []
        }
    }

    /// A command that somebody might send to a writer that remembers `active`; many of them make sense.
    package mutating func command(
        in active: ActiveState, at time: Timestamp
    ) -> (command: Command, workspace: WorkspaceName) {
        (state, now) = (active, time)
        workspace = random.pick(Self.workspaces)
        let command = randomCommand()
        return (command, workspace)
    }

    package mutating func newID<Entity>() -> Identifier<Entity> {
        idCount += 1
        // As in a UUIDv7 the time leads, and ids of one millisecond come in any order.
        let milliseconds = UInt64(now.microseconds / 1000)
        let noise = UInt64.random(in: 0...0xfff, using: &random)
        return Identifier(
            UUIDValue(high: milliseconds << 16 | 0x7000 | noise, low: 0x8000_0000_0000_0000 | idCount << 12))
    }

    private mutating func person() -> Actor {
        let name = random.pick(Self.people)
        return Actor(kind: .person(Person(provider: "corp", subject: "id of \(name)")), name: name)
    }

    private mutating func record(_ events: [Event]) -> [RecordedEvent] {
        events.map { event in
            position = position.next
            state.evolve(event)
            return RecordedEvent(position: position, event: event)
        }
    }
}
