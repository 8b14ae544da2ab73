import Domain
import GRDB

/// The tables of the read models. They hold nothing that the log does not: a change of schema rebuilds them.
enum ReadModelSchema {
    /// Counted up with every change below; another version in a file means it is made anew from the log.
    static let version = 18

    static func create(_ db: Database) throws {
        try db.execute(sql: statements + usageTables + deliveryTables + ingestionTables + retentionTables)
        try db.execute(sql: RunIndex.allCases.map(\.creation).joined(separator: "\n") + listIndexes)
        try db.execute(sql: SearchIndex.creation)
        try SearchIndex.configure(db)
        for table in CountedTable.allCases { try db.execute(sql: counters(table)) }
        try db.execute(sql: "INSERT INTO meta (id, schema_version, position) VALUES (1, ?, 0)", arguments: [version])
    }

    /// The tables whose rows are counted by status.
    enum CountedTable: String, CaseIterable {
        case runs
        case actions
        case accessRequests = "access_requests"
    }

    /// Counts by triggers, so that no projector can forget to: a scrape of the metrics must not scan history.
    private static func counters(_ table: CountedTable) -> String {
        let countNew = """
            INSERT INTO status_counts (counted, status, count) VALUES ('\(table.rawValue)', NEW.status, 1)
            ON CONFLICT DO UPDATE SET count = count + 1;
            """
        return """
            CREATE TRIGGER count_new_\(table.rawValue) AFTER INSERT ON \(table.rawValue)
            BEGIN
                \(countNew)
            END;
            CREATE TRIGGER count_changed_\(table.rawValue) AFTER UPDATE OF status ON \(table.rawValue)
            WHEN OLD.status <> NEW.status
            BEGIN
                UPDATE status_counts SET count = count - 1
                WHERE counted = '\(table.rawValue)' AND status = OLD.status;
                \(countNew)
            END;
            CREATE TRIGGER count_gone_\(table.rawValue) AFTER DELETE ON \(table.rawValue)
            BEGIN
                UPDATE status_counts SET count = count - 1
                WHERE counted = '\(table.rawValue)' AND status = OLD.status;
            END;
            """
    }

    /// What is summed up over calls of models.
    static let usageSums = [
        "calls", "failed_calls", "refused_calls", "estimated_calls", "unpriced_calls", "prompt_tokens",
        "completion_tokens", "cached_tokens", "cost",
    ]

    /// Days for whoever asks who used what; months, with few rows, for budgets that every call asks for; days of a key, a
    /// user or a model, at most 31 of which a call asks for, for limits.
    private static let usageTables: String = {
        let sums = usageSums.map { "\($0) INTEGER NOT NULL" }.joined(separator: ", ")
        return """

            CREATE TABLE model_usage (
                workspace TEXT NOT NULL, day INTEGER NOT NULL, agent TEXT NOT NULL, user TEXT NOT NULL,
                provider TEXT NOT NULL, model TEXT NOT NULL, role TEXT NOT NULL, \(sums),
                PRIMARY KEY (workspace, day, agent, user, provider, model, role)
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX model_usage_by_agent ON model_usage (workspace, agent, day);

            CREATE TABLE model_spend (
                workspace TEXT NOT NULL, month INTEGER NOT NULL, agent TEXT NOT NULL, provider TEXT NOT NULL,
                model TEXT NOT NULL, provider_kind TEXT NOT NULL, \(sums),
                PRIMARY KEY (workspace, month, agent, provider, model, provider_kind)
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE model_subject_usage (
                workspace TEXT NOT NULL, subject TEXT NOT NULL, name TEXT NOT NULL, day INTEGER NOT NULL,
                calls INTEGER NOT NULL, tokens INTEGER NOT NULL, cost INTEGER NOT NULL,
                PRIMARY KEY (workspace, subject, name, day)
            ) STRICT, WITHOUT ROWID;
            """
    }()

    /// What connectors did, and the links that decide.
    private static let deliveryTables = """

        CREATE TABLE connector_activity (
            id BLOB PRIMARY KEY, workspace TEXT NOT NULL, position INTEGER NOT NULL, time INTEGER NOT NULL,
            event TEXT NOT NULL, connector TEXT NOT NULL, connector_name TEXT NOT NULL, run_id BLOB, action_id BLOB,
            request_id BLOB, decision TEXT, approver_id TEXT, status_code INTEGER, duration_ms INTEGER, message TEXT
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX connector_activity_by_position ON connector_activity (workspace, position);

        CREATE TABLE decision_links (
            delivery_id BLOB PRIMARY KEY, workspace TEXT NOT NULL, connector TEXT NOT NULL,
            connector_name TEXT NOT NULL, run_id BLOB, action_id BLOB, request_id BLOB, digest BLOB NOT NULL,
            payload_hash TEXT, expires_at INTEGER NOT NULL, decision TEXT
        ) STRICT, WITHOUT ROWID;
        """

    private static let ingestionTables = """

        CREATE TABLE analyses (
            id BLOB PRIMARY KEY, workspace TEXT NOT NULL, document TEXT NOT NULL, created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX analyses_by_end ON analyses (expires_at);

        CREATE TABLE builds (
            id BLOB PRIMARY KEY, workspace TEXT NOT NULL, name TEXT NOT NULL, image TEXT NOT NULL,
            document TEXT NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL, error TEXT, log TEXT NOT NULL,
            image_id TEXT, image_error TEXT, created_at INTEGER NOT NULL, started_at INTEGER, completed_at INTEGER,
            position INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX builds_by_position ON builds (workspace, position);
        """

    /// The orders of lists that are not of runs.
    private static let listIndexes = """

        CREATE INDEX run_tools_by_tool ON run_tools (workspace, tool, position);
        CREATE INDEX builds_by_name ON builds (workspace, name, position);
        CREATE INDEX builds_by_status ON builds (workspace, status, position);
        CREATE INDEX builds_by_status_and_name ON builds (workspace, status, name, position);
        CREATE INDEX api_keys_by_position ON api_keys (workspace, position);
        CREATE INDEX api_keys_by_name ON api_keys (workspace, name, position);
        CREATE INDEX api_keys_by_role ON api_keys (workspace, role, position);
        CREATE INDEX resources_by_creation ON resources (workspace, kind, created_at, name);
        CREATE INDEX resources_by_update ON resources (workspace, kind, updated_at, name);
        CREATE INDEX connectors_by_name ON resources (workspace, kind, json_extract(document, '$.name'), name)
            WHERE kind = '\(ResourceKind.approvalConnector.rawValue)';
        """

    /// Runs that are not kept any more, and what their end has to find.
    private static let retentionTables = """

        CREATE TABLE expired_runs (
            run_id BLOB PRIMARY KEY, workspace TEXT NOT NULL, position INTEGER NOT NULL, expired_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX expired_runs_by_position ON expired_runs (position);

        CREATE TABLE expired_requests (
            position INTEGER NOT NULL, request_id BLOB NOT NULL, run_id BLOB NOT NULL,
            PRIMARY KEY (position, request_id)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE run_usage (
            run_id BLOB NOT NULL, day INTEGER NOT NULL, runs INTEGER NOT NULL, tool_calls INTEGER NOT NULL,
            PRIMARY KEY (run_id, day)
        ) STRICT, WITHOUT ROWID;

        CREATE INDEX runs_by_end ON runs (updated_at) WHERE status IN ('COMPLETED', 'FAILED');
        CREATE INDEX tool_calls_by_run ON tool_calls (run_id);
        CREATE INDEX model_answers_by_run ON model_answers (run_id);
        CREATE INDEX access_requests_by_run ON access_requests (run_id) WHERE run_id IS NOT NULL;
        CREATE INDEX connector_activity_by_run ON connector_activity (run_id) WHERE run_id IS NOT NULL;
        CREATE INDEX decision_links_by_run ON decision_links (run_id) WHERE run_id IS NOT NULL;
        """

    private static let statements = """
        CREATE TABLE meta (
            id INTEGER PRIMARY KEY CHECK (id = 1), schema_version INTEGER NOT NULL, position INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE status_counts (
            counted TEXT NOT NULL, status TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (counted, status)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE runs (
            id BLOB PRIMARY KEY, workspace TEXT NOT NULL, agent_id TEXT NOT NULL, agent_uid BLOB,
            user_id TEXT NOT NULL, conversation_id TEXT, invoke_url TEXT, initial_message TEXT,
            status TEXT NOT NULL, blocked_action_id BLOB, reason TEXT,
            created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, position INTEGER NOT NULL,
            result TEXT, result_sequence INTEGER, result_bytes INTEGER, effects_performed INTEGER NOT NULL DEFAULT 0,
            effects_failed INTEGER NOT NULL DEFAULT 0, effects_rejected INTEGER NOT NULL DEFAULT 0,
            effects_expired INTEGER NOT NULL DEFAULT 0, failed_effect TEXT, creator_key BLOB
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE timeline (
            run_id BLOB NOT NULL, sequence INTEGER NOT NULL, position INTEGER NOT NULL, event BLOB NOT NULL,
            PRIMARY KEY (run_id, sequence)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE actions (
            id BLOB PRIMARY KEY, run_id BLOB NOT NULL, tool_id TEXT NOT NULL, capability TEXT, payload_hash TEXT,
            method TEXT, url TEXT, status TEXT NOT NULL, access_request_id BLOB, reason TEXT, approver_id TEXT,
            expires_at INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
            position INTEGER NOT NULL, sequence INTEGER NOT NULL, is_consent INTEGER NOT NULL, headers_hash TEXT,
            tool_status INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX actions_by_run ON actions (run_id, position);

        CREATE TABLE run_effects (
            run_id BLOB NOT NULL, effect BLOB NOT NULL, fingerprint BLOB, call_id BLOB, state TEXT NOT NULL, note TEXT,
            PRIMARY KEY (run_id, effect)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX run_effects_failed ON run_effects (run_id, fingerprint, effect) WHERE state = 'failed';
        CREATE INDEX run_effects_open ON run_effects (run_id, call_id) WHERE state = 'open';

        CREATE TABLE tool_calls (
            id BLOB PRIMARY KEY, run_id BLOB NOT NULL, sequence INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE model_answers (
            id BLOB PRIMARY KEY, run_id BLOB NOT NULL, answer BLOB
        ) STRICT;

        CREATE TABLE access_requests (
            id BLOB PRIMARY KEY, workspace TEXT NOT NULL, subject TEXT NOT NULL, tool_id TEXT NOT NULL, agent_id TEXT,
            run_id BLOB, action_id BLOB, capability TEXT, payload_hash TEXT, method TEXT, url TEXT,
            status TEXT NOT NULL, duration INTEGER NOT NULL, scope TEXT, approver_id TEXT, reason TEXT,
            expires_at INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
            position INTEGER NOT NULL, for_one_call INTEGER NOT NULL, headers_hash TEXT,
            tool_uid BLOB, tool_origin TEXT
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX access_requests_by_status ON access_requests (workspace, status, position);
        CREATE INDEX access_requests_by_subject ON access_requests (workspace, status, subject, position);
        CREATE INDEX access_requests_by_tool ON access_requests (workspace, status, tool_id, position);
        CREATE INDEX access_requests_pending ON access_requests (workspace, subject, tool_id)
            WHERE status = 'PENDING';

        CREATE TABLE resources (
            workspace TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, id BLOB NOT NULL,
            revision INTEGER NOT NULL, document TEXT NOT NULL, phase TEXT, status_message TEXT, probed_at INTEGER,
            latency_ms INTEGER, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
            serving_revision INTEGER, PRIMARY KEY (workspace, kind, name)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE agent_versions (
            id BLOB NOT NULL, revision INTEGER NOT NULL, document TEXT NOT NULL, restored_revision INTEGER,
            stored_at INTEGER NOT NULL, served_at INTEGER, phase TEXT, status_message TEXT,
            PRIMARY KEY (id, revision)
        ) STRICT;

        CREATE TABLE api_keys (
            id BLOB PRIMARY KEY, workspace TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
            digest TEXT NOT NULL, prefix TEXT NOT NULL, last4 TEXT NOT NULL, expires_at INTEGER,
            created_at INTEGER NOT NULL, position INTEGER NOT NULL, group_names TEXT NOT NULL, agent TEXT,
            previous_digest TEXT, previous_until INTEGER, only_groups INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE ended_api_keys (
            digest TEXT PRIMARY KEY, id BLOB NOT NULL, workspace TEXT NOT NULL, name TEXT NOT NULL,
            role TEXT NOT NULL, is_revoked INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX ended_api_keys_by_id ON ended_api_keys (id);

        CREATE TABLE made_by_keys (
            workspace TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, key_id BLOB NOT NULL,
            created INTEGER NOT NULL, time INTEGER NOT NULL, position INTEGER NOT NULL,
            PRIMARY KEY (workspace, kind, name, key_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX made_by_keys_by_key ON made_by_keys (key_id, position);

        CREATE TABLE daily_usage (
            workspace TEXT NOT NULL, day INTEGER NOT NULL, runs INTEGER NOT NULL, tool_calls INTEGER NOT NULL,
            PRIMARY KEY (workspace, day)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE secrets (
            workspace TEXT NOT NULL, owner_kind TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL,
            key_id BLOB NOT NULL, ciphertext BLOB NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
            PRIMARY KEY (workspace, owner_kind, owner, name)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE erasures (
            id BLOB PRIMARY KEY, workspace TEXT NOT NULL, requested_by TEXT NOT NULL, requested_at INTEGER NOT NULL,
            erased_at INTEGER, events INTEGER, position INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX erasures_by_position ON erasures (workspace, position);

        CREATE TABLE kept_budgets (
            workspace TEXT NOT NULL, agent TEXT NOT NULL, configurations TEXT, single TEXT, budget TEXT,
            PRIMARY KEY (workspace, agent)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE run_tools (
            run_id BLOB NOT NULL, tool TEXT NOT NULL, workspace TEXT NOT NULL, position INTEGER NOT NULL,
            PRIMARY KEY (run_id, tool)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE controls (
            workspace TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, stopped_by TEXT NOT NULL,
            stopped_at INTEGER NOT NULL, reason TEXT, holds_runs INTEGER NOT NULL,
            PRIMARY KEY (workspace, kind, name)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE checkpoints (
            run_id BLOB NOT NULL, action_id TEXT NOT NULL, id BLOB NOT NULL, document TEXT NOT NULL,
            created_at INTEGER NOT NULL, PRIMARY KEY (run_id, action_id)
        ) STRICT, WITHOUT ROWID;
        """
}
