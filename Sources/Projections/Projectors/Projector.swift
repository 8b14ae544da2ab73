import Domain
import EventStore
import Foundation
import GRDB

/// Applies events to the tables, in the log's order. Reads events and its own tables only: no clock, no chance.
enum Projector {
    /// Applies one batch; the caller wraps it, with the checkpoint, in one transaction.
    static func apply(_ batch: [RecordedEvent], _ db: Database) throws {
        for recorded in batch { try apply(recorded, db) }
        if let last = batch.last {
            try db.run("UPDATE meta SET position = ? WHERE id = 1", [Int64(last.position.value)])
        }
    }

    /// The API keys that the batch changes, each once, in the batch's order.
    static func keys(in batch: [RecordedEvent]) -> [APIKeyID] {
        var seen: Set<APIKeyID> = []
        return batch.lazy.filter { $0.event.stream.kind == .apiKey }.map { APIKeyID($0.event.stream.id) }
            .filter { seen.insert($0).inserted }
    }

    private static func apply(_ recorded: RecordedEvent, _ db: Database) throws {
        let event = recorded.event
        if let mark = event.timeline, event.stream.kind == .run {
            try db.run(
                "INSERT INTO timeline (run_id, sequence, position, event) VALUES (?, ?, ?, ?)",
                [
                    RunID(event.stream.id).column, Int64(mark.sequence), Int64(recorded.position.value),
                    Data(EventCodec.encode(event)),
                ])
        }
        switch event.stream.kind {
        case .run: try RunsProjector.apply(recorded, RunID(event.stream.id), db)
        case .accessRequest: try AccessRequestsProjector.apply(recorded, AccessRequestID(event.stream.id), db)
        case .agent, .tool, .policy, .modelProvider: try ResourcesProjector.apply(recorded, db)
        case .apiKey: try APIKeysProjector.apply(recorded, APIKeyID(event.stream.id), db)
        case .answer: break
        }
    }
}
