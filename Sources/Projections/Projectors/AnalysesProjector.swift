import Domain
import EventStore
import GRDB

/// What was found in sources, for as long as it may be read.
enum AnalysesProjector {
    static func apply(_ recorded: RecordedEvent, _ id: AnalysisID, _ db: Database) throws {
        let event = recorded.event
        guard case .sourcesAnalyzed(let analyzed) = event.payload else { return }
        // Nobody is shown these any more: the table holds about an hour of analyses.
        try db.run("DELETE FROM analyses WHERE expires_at <= ?", [event.time.microseconds])
        try db.run(
            "INSERT INTO analyses (id, workspace, document, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
            [
                id.column, event.workspace.text, analyzed.document.text, event.time.microseconds,
                analyzed.expiresAt.microseconds,
            ])
    }
}
