import Domain
import EventStore
import GRDB

/// Applies events to the tables, in the log's order. Reads events and its own tables only: no clock, no chance.
enum Projector {
    /// Applies one batch; the caller wraps it, with the checkpoint, in one transaction.
    static func apply(_ batch: [RecordedEvent], _ db: Database) throws {
        let timeline = try TimelineTable(db)
        let texts = RunTexts()
        for recorded in batch { try apply(recorded, timeline, texts, db) }
        try texts.finish(db)
        if let last = batch.last { try setPosition(last.position, db) }
    }

    static func setPosition(_ position: Position, _ db: Database) throws {
        try db.run("UPDATE meta SET position = ? WHERE id = 1", [Int64(position.value)])
    }

    /// The API keys that the batch changes, each once, in the batch's order.
    static func keys(in batch: [RecordedEvent]) -> [APIKeyID] {
        var seen: Set<APIKeyID> = []
        return batch.lazy.filter { $0.event.stream.kind == .apiKey }.map { APIKeyID($0.event.stream.id) }
            .filter { seen.insert($0).inserted }
    }

    /// True when the batch stores or deletes a document, or another version of an agent serves.
    static func changesResources(_ batch: [RecordedEvent]) -> Bool {
        batch.contains { recorded in
            switch recorded.event.payload {
            case .resourceStored, .resourceDeleted: true
            case .resourceStatusRecorded(let status): status.kind == .agent
            default: false
            }
        }
    }

    private static func apply(
        _ recorded: RecordedEvent, _ timeline: TimelineTable, _ texts: RunTexts, _ db: Database
    ) throws {
        let event = recorded.event
        if let mark = event.timeline, event.stream.kind == .run {
            try timeline.insert(recorded, sequence: mark.sequence, run: event.stream.id)
        }
        if case .modelCalled(let called) = event.payload { try ModelUsageProjector.apply(called, event, db) }
        try DailyUsageProjector.apply(event, db)
        try MadeByKeysProjector.apply(recorded, db)
        switch event.stream.kind {
        case .run:
            try EffectsProjector.apply(recorded, RunID(event.stream.id), db)
            try RunsProjector.apply(recorded, RunID(event.stream.id), texts, db)
        case .accessRequest: try AccessRequestsProjector.apply(recorded, AccessRequestID(event.stream.id), db)
        case .agent:
            try ResourcesProjector.apply(recorded, db)
            try AgentVersionsProjector.apply(recorded, db)
        case .tool, .policy, .modelProvider, .modelAlias, .identityProvider, .deployDraft, .settings:
            try ResourcesProjector.apply(recorded, db)
        case .approvalConnector:
            try ResourcesProjector.apply(recorded, db)
            try DeliveriesProjector.apply(recorded, db)
        case .apiKey: try APIKeysProjector.apply(recorded, APIKeyID(event.stream.id), db)
        case .secret: try SecretsProjector.apply(recorded, db)
        case .analysis: try AnalysesProjector.apply(recorded, AnalysisID(event.stream.id), db)
        case .build: try BuildsProjector.apply(recorded, BuildID(event.stream.id), db)
        case .person: try ErasuresProjector.apply(recorded, PersonID(event.stream.id), db)
        case .expiry: try RetentionProjector.apply(recorded, texts, db)
        case .control: try ControlsProjector.apply(event, db)
        case .answer, .keyLoss: break
        }
    }
}
