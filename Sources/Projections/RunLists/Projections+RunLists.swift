package import Domain
import GRDB

extension Projections {
    /// The first runs that match, newest first unless another order is asked for; the next page begins after the last
    /// record that this one examined.
    package func runs(
        _ filter: RunFilter, by order: ListOrder<RunField> = ListOrder(.createdAt, isDescending: true),
        after place: ListPlace? = nil, limit: Int, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> Page<RunRecord> {
        let plan = RunPlan(filter, by: order)
        return try await query { db in
            let query = RunQuery(plan, after: place, try db.positions(of: filter, in: workspace), in: workspace)
            return try Page(db, query, limit: limit)
        }
    }

    /// The number of runs that match. Reads each of them.
    package func count(of filter: RunFilter, in workspace: WorkspaceName) async throws(ProjectionError) -> Int {
        let plan = RunPlan(filter, by: ListOrder(.createdAt, isDescending: true))
        return try await query { db in
            let query = RunQuery(plan, after: nil, try db.positions(of: filter, in: workspace), in: workspace)
            guard let (sql, arguments) = query.count else { return 0 }
            return try Int.fetchOne(db, sql: sql, arguments: arguments) ?? 0
        }
    }
}

extension Page<RunRecord> {
    fileprivate init(_ db: Database, _ query: RunQuery, limit: Int) throws {
        let examinedMax = query.isExact ? limit : max(limit, RunQuery.examinedMax)
        guard let (sql, arguments) = query.rows(limit: examinedMax) else {
            self.init(records: [], hasMore: false, last: nil)
            return
        }
        let rows = try Row.fetchCursor(db, sql: sql, arguments: arguments)
        var (records, last, examined, sizeBytes): ([RunRecord], RunRecord?, Int, Int) = ([], nil, 0, 0)
        while records.count < limit, sizeBytes < Self.bytesMax, let row = try rows.next() {
            let record = try RunRecord(row)
            (last, examined) = (record, examined + 1)
            guard try row.column("matches") as Bool else { continue }
            sizeBytes += record.listedBytes
            records.append(record)
        }
        let isFull = records.count == limit || sizeBytes >= Self.bytesMax || examined == examinedMax
        self.init(records: records, hasMore: isFull, last: last)
    }
}

extension Database {
    /// The positions of the workspace's runs that were created in the filter's range of time. Times never decrease along
    /// the log, so that a range of one is a range of the other.
    fileprivate func positions(of filter: RunFilter, in workspace: WorkspaceName) throws -> Range<Int64> {
        let lower = try filter.createdAfter.map { try firstPosition(createdFrom: $0, in: workspace) } ?? 0
        let upper = try filter.createdBefore.map { try firstPosition(createdFrom: $0, in: workspace) } ?? .max
        return lower..<max(lower, upper)
    }

    /// The least position from which all of the workspace's runs were created at that time or later, by bisection.
    private func firstPosition(createdFrom time: Timestamp, in workspace: WorkspaceName) throws -> Int64 {
        let newest = try first(
            "SELECT position FROM runs INDEXED BY runs_by_position WHERE workspace = ? ORDER BY position DESC LIMIT 1",
            [workspace.text]
        ) { try $0.column("position") as Int64 }
        var (low, high) = (Int64(0), (newest ?? 0) + 1)
        while low < high {
            let middle = low + (high - low) / 2
            let run = try first(
                """
                SELECT position, created_at FROM runs INDEXED BY runs_by_position
                WHERE workspace = ? AND position >= ? ORDER BY position LIMIT 1
                """, [workspace.text, middle]
            ) { (position: try $0.column("position") as Int64, created: try $0.time("created_at")) }
            if let run, run.created < time { low = run.position + 1 } else { high = middle }
        }
        return low
    }
}
