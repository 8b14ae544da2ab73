import Domain
import EventLog
import EventStore

/// What the outside world knows: every event that was decided, and what was acknowledged of them. Holds the log against it.
struct Ledger {
    /// The records of everything that was ever queued, acknowledged or not.
    private var records: [EventID: [UInt8]] = [:]
    /// How many events each command has, by the id of its first.
    private var commandLengths: [EventID: Int] = [:]
    /// The records up to the newest position that anybody was told of.
    private(set) var acknowledged: [[UInt8]] = []

    /// Whole commands are about to be written as one frame.
    mutating func queue(_ events: [Event], _ encoded: [[UInt8]]) {
        var command: EventID?
        for (event, record) in zip(events, encoded) {
            records[event.id] = record
            if event.causation.index == 0 { command = event.id }
            if let command { commandLengths[command, default: 0] += 1 }
        }
    }

    /// Somebody was told that everything up to `position` is so.
    mutating func acknowledge(through position: Position, _ recorded: [[UInt8]]) {
        let known = acknowledged.count
        guard position.value > UInt64(known) else { return }
        acknowledged += recorded[known..<Int(position.value)]
    }

    /// Reads the whole log and holds it against what is known.
    ///
    /// - Returns: its events.
    func audit(_ disk: SimulatedDisk) throws -> (events: [RecordedEvent], records: [[UInt8]]) {
        var found: [[UInt8]] = []
        let problem = try LogVerifier.walk(disk) { _, record in
            found.append(record)
            return true
        }
        try check(problem == nil, 5, "damage where none was done: \(problem?.description ?? "")")
        try check(found.count >= acknowledged.count, 2, "it ends at \(found.count), not \(acknowledged.count)")
        for (index, record) in acknowledged.enumerated() {
            try check(found[index] == record, 2, "position \(index + 1) is not what was acknowledged")
        }
        let events = try found.enumerated().map { index, record in
            RecordedEvent(position: Position(UInt64(index + 1)), event: try decoded(record, UInt64(index + 1)))
        }
        try checkContents(events, found)
        return (events, found)
    }

    private func decoded(_ record: [UInt8], _ position: UInt64) throws -> Event {
        do {
            return try EventCodec.decode(record, at: position)
        } catch {
            throw SimulationFailure(5, "position \(position) holds what nobody wrote: \(error)")
        }
    }

    private func checkContents(_ events: [RecordedEvent], _ found: [[UInt8]]) throws(SimulationFailure) {
        var index = 0
        while index < events.count {
            let event = events[index].event
            let count = commandLengths[event.id] ?? 0
            try check(event.causation.index == 0 && count > 0, 3, "position \(index + 1) is in the middle of a command")
            try check(index + count <= events.count, 3, "the command at position \(index + 1) is there in part")
            for part in index..<index + count {
                let recorded = events[part].event
                try check(
                    Int(recorded.causation.index) == part - index, 3, "position \(part + 1) is another command's")
                try check(records[recorded.id] == found[part], 5, "position \(part + 1) is not what was decided")
            }
            index += count
        }
        var histories = Histories()
        for recorded in events { try histories.take(recorded.event) }
    }
}

/// Follows every stream of a log and says what may not happen in it.
private struct Histories {
    private var sequences: [StreamID: UInt64] = [:]
    private var timelines: [RunID: UInt64] = [:]
    private var finished: [RunID: EventID] = [:]
    private var hashes: [ActionID: PayloadHash?] = [:]
    private var approved: Set<ActionID> = []
    private var openInvokes: [RunID: InvokeRequested] = [:]
    private var time = Timestamp(microseconds: .min)

    mutating func take(_ event: Event) throws(SimulationFailure) {
        try check(event.time >= time, 6, "the time of \(event.stream) goes back")
        time = event.time
        let sequence = sequences[event.stream, default: 0] + 1
        try check(event.streamSequence == sequence, 4, "\(event.stream) goes on with \(event.streamSequence)")
        sequences[event.stream] = sequence
        guard event.stream.kind == .run else { return }
        let run = RunID(event.stream.id)
        try check(finished[run] == nil, 8, "run \(run) changes after it is finished")
        if let mark = event.timeline {
            let next = timelines[run, default: 0] + 1
            try check(mark.sequence == next, 4, "the timeline of \(run) goes from \(next - 1) to \(mark.sequence)")
            timelines[run] = next
        }
        try take(event.payload, run, event.id)
    }

    private mutating func take(_ payload: EventPayload, _ run: RunID, _ id: EventID) throws(SimulationFailure) {
        switch payload {
        case .runStatusChanged(let changed) where changed.status.isFinished: finished[run] = id
        case .actionBlocked(let blocked): hashes[blocked.actionID] = blocked.payloadHash
        case .actionApproved(let action):
            let expected = hashes[action.actionID] ?? nil
            try check(action.payloadHash == expected, 9, "action \(action.actionID) is approved with another hash")
            approved.insert(action.actionID)
        case .actionExecuted(let action):
            try check(approved.contains(action.actionID), 9, "action \(action.actionID) is executed without approval")
        case .invokeRequested(let requested):
            try check(openInvokes[run] == nil, 7, "run \(run) has two invokes in flight")
            openInvokes[run] = requested
        case .invokeCompleted(let done):
            let open = openInvokes.removeValue(forKey: run)
            try check(
                open?.attempt == done.attempt && open?.purpose == done.purpose, 7, "\(run) completes another invoke")
        case .invokeFailed(let failed):
            let open = openInvokes.removeValue(forKey: run)
            try check(
                open?.attempt == failed.attempt && open?.purpose == failed.purpose, 7, "\(run) fails another invoke")
        default: break
        }
    }
}
