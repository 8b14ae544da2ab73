import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Projections

/// Cancelling many runs by a filter, with a preview.
extension APIHandlers {
    /// Runs that one request cancels; a client sends it again while some remain.
    static let cancelledMax = 1_000
    private static let parallelCancelsMax = 128
    private static let sampleMax = 10

    /// Counts the unfinished runs that match, and shows some; with `dry_run` false, cancels the oldest of them.
    func cancelRuns(_ request: APIRequest) async throws -> APIAnswer {
        let filter = try cancelFilter(request)
        let matched = try await projections.count(of: filter, in: request.workspace)
        let isPreview = try request.body.bool("dry_run") ?? true
        let page = try await projections.runs(
            filter, by: ListOrder(.createdAt, isDescending: false),
            limit: isPreview ? Self.sampleMax : Self.cancelledMax, in: request.workspace)
        let cancelled =
            isPreview
            ? nil
            : try await cancel(
                page.records.map(\.id), in: request.workspace, reason: try Self.cancelReason(request), request)
        let (sample, era) = (page.records.prefix(Self.sampleMax), request.era)
        return APIAnswer(
            .ok,
            .object { json in
                json.add("dry_run", isPreview)
                json.add("matched", UInt64(matched))
                if let cancelled {
                    json.add("cancelled", UInt64(cancelled.count))
                    json.add("remaining", UInt64(max(0, matched - page.records.count)))
                }
                json.add("sample", sample.map { $0.json(era) })
            }, position: cancelled?.position)
    }

    /// Cancels in bounded groups; runs that have ended meanwhile are left out.
    func cancel(
        _ ids: [RunID], in workspace: WorkspaceName, reason: String, _ request: APIRequest
    ) async throws -> (count: Int, position: Position?) {
        let sent = CommandRequest(
            workspace: workspace, actor: request.principal.actor, traceparent: request.traceparent)
        var (count, position, rest) = (0, Position?.none, ids[...])
        while !rest.isEmpty {
            let group = rest.prefix(Self.parallelCancelsMax)
            rest = rest.dropFirst(Self.parallelCancelsMax)
            let positions = try await withThrowingTaskGroup(of: Position?.self) { tasks in
                for id in group {
                    tasks.addTask { [commands] in
                        do {
                            return try await commands.execute(.failRun(run: id, reason: reason), sent).position
                        } catch CommandError.rejected(let rejection) where rejection.code == .runNotActive {
                            return nil
                        }
                    }
                }
                return try await tasks.reduce(into: [Position]()) { found, next in if let next { found.append(next) } }
            }
            count += positions.count
            position = [position, positions.max()].compactMap(\.self).max()
        }
        return (count, position)
    }

    private func cancelFilter(_ request: APIRequest) throws -> RunFilter {
        let body = request.body
        var filter = RunFilter()
        filter.isUnfinished = true
        filter.agentID = try agentID(try body.text("agent_id", "agent"), request)
        filter.userID = try body.text("user_id", "user")
        filter.tool = try body.text("tool")
        filter.status = try body.text("status").map { text in
            guard let status = RunStatus(rawValue: text), !status.isFinished else {
                let known = RunStatus.allCases.filter { !$0.isFinished }.map(\.rawValue).joined(separator: ", ")
                throw APIError.badRequest("status must be one of \(known), not \(text.excerpt)")
            }
            return status
        }
        filter.creatorKey = try body.text("created_by_key").map { text in
            guard let id = APIKeyID(text) else {
                throw APIError.badRequest("created_by_key must be a key's id, not \(text.excerpt)")
            }
            return id
        }
        filter.createdAfter = try time("created_after", body)
        filter.createdBefore = try time("created_before", body)
        var none = RunFilter()
        none.isUnfinished = true
        guard filter != none || body["all"] == .bool(true) else {
            throw APIError.badRequest(
                "name at least one of agent, status, user, created_after, created_before, created_by_key and tool, or \"all\": true"
            )
        }
        return filter
    }

    private func time(_ name: String, _ body: JSONValue) throws -> Timestamp? {
        guard let text = try body.text(name) else { return nil }
        guard let time = Timestamp(rfc3339: text) else {
            throw APIError.badRequest("\(name) must be a time such as 2026-01-31T12:00:00Z")
        }
        return time
    }
}
