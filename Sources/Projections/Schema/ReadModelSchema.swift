import GRDB

/// The tables of the read models. They hold nothing that the log does not: a change of schema rebuilds them.
enum ReadModelSchema {
    /// Counted up with every change below; another version in a file means it is made anew from the log.
    static let version = 1

    static func create(_ db: Database) throws {
        try db.execute(sql: statements)
        try db.execute(sql: "INSERT INTO meta (id, schema_version, position) VALUES (1, ?, 0)", arguments: [version])
    }

    private static let statements = """
        CREATE TABLE meta (
            id INTEGER PRIMARY KEY CHECK (id = 1), schema_version INTEGER NOT NULL, position INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE runs (
            id BLOB PRIMARY KEY, workspace TEXT NOT NULL, agent_id TEXT NOT NULL, agent_uid BLOB,
            user_id TEXT NOT NULL, conversation_id TEXT, invoke_url TEXT, initial_message TEXT,
            status TEXT NOT NULL, blocked_action_id BLOB, reason TEXT,
            created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, position INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX runs_by_status ON runs (workspace, status, position);
        CREATE INDEX runs_by_agent ON runs (workspace, agent_id, position);
        CREATE INDEX runs_by_position ON runs (workspace, position);

        CREATE TABLE timeline (
            run_id BLOB NOT NULL, sequence INTEGER NOT NULL, position INTEGER NOT NULL, event BLOB NOT NULL,
            PRIMARY KEY (run_id, sequence)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE actions (
            id BLOB PRIMARY KEY, run_id BLOB NOT NULL, tool_id TEXT NOT NULL, capability TEXT, payload_hash TEXT,
            method TEXT, url TEXT, status TEXT NOT NULL, access_request_id BLOB, reason TEXT, approver_id TEXT,
            expires_at INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
            position INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX actions_by_run ON actions (run_id, position);

        CREATE TABLE access_requests (
            id BLOB PRIMARY KEY, workspace TEXT NOT NULL, subject TEXT NOT NULL, tool_id TEXT NOT NULL, agent_id TEXT,
            run_id BLOB, action_id BLOB, capability TEXT, payload_hash TEXT, method TEXT, url TEXT,
            status TEXT NOT NULL, duration INTEGER NOT NULL, scope TEXT, approver_id TEXT, reason TEXT,
            expires_at INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
            position INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX access_requests_by_status ON access_requests (workspace, status, position);

        CREATE TABLE resources (
            workspace TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, id BLOB NOT NULL,
            revision INTEGER NOT NULL, document TEXT NOT NULL, phase TEXT, status_message TEXT, probed_at INTEGER,
            latency_ms INTEGER, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
            PRIMARY KEY (workspace, kind, name)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE api_keys (
            id BLOB PRIMARY KEY, workspace TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
            digest TEXT NOT NULL, prefix TEXT NOT NULL, last4 TEXT NOT NULL, expires_at INTEGER,
            created_at INTEGER NOT NULL, position INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE checkpoints (
            run_id BLOB NOT NULL, action_id TEXT NOT NULL, id BLOB NOT NULL, document TEXT NOT NULL,
            created_at INTEGER NOT NULL, PRIMARY KEY (run_id, action_id)
        ) STRICT, WITHOUT ROWID;
        """
}
