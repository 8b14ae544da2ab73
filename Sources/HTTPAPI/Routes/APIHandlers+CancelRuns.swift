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
        let runs = try await oldest(isPreview ? Self.sampleMax : Self.cancelledMax, filter, in: request.workspace)
        let cancelled =
            isPreview
            ? nil
            : try await cancel(
                runs.map(\.id), in: request.workspace, reason: try Self.cancelReason(request), request)
        let (sample, era) = (runs.prefix(Self.sampleMax), request.era)
        return APIAnswer(
            .ok,
            .object { json in
                json.add("dry_run", isPreview)
                json.add("matched", UInt64(matched))
                if let cancelled {
                    json.add("cancelled", UInt64(cancelled.count))
                    json.add("remaining", UInt64(max(0, matched - runs.count)))
                }
                json.add("sample", sample.map { $0.json(era) })
            }, position: cancelled?.position)
    }

    /// The first runs that match, oldest first: a page may have fewer while the list continues.
    func oldest(_ count: Int, _ filter: RunFilter, in workspace: WorkspaceName) async throws -> [RunRecord] {
        let order = ListOrder(RunField.createdAt, isDescending: false)
        var (runs, place): ([RunRecord], ListPlace?) = ([], nil)
        while runs.count < count {
            let page = try await projections.runs(
                filter, by: order, after: place, limit: count - runs.count, in: workspace)
            runs += page.records
            guard page.hasMore, let last = page.last else { break }
            place = last.place(by: order.field)
        }
        return runs
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
        var filter = try Self.runFilter { name throws(APIError) in try body.text(name) }
        filter.creatorKey = try body.text("created_by_key").map { text in
            guard let id = APIKeyID(text) else {
                throw APIError.badRequest("created_by_key must be a key's id, not \(text.excerpt)")
            }
            return id
        }
        guard filter != RunFilter() || body["all"] == .bool(true) else {
            let known = (RunFilter.Name.allCases.map(\.rawValue) + ["created_by_key"]).joined(separator: ", ")
            throw APIError.badRequest("name at least one of \(known), or \"all\": true")
        }
        if let status = filter.status, status.isFinished {
            let known = RunStatus.allCases.filter { !$0.isFinished }.map(\.rawValue).joined(separator: ", ")
            throw APIError.badRequest("status must be one of \(known), PAUSED, not \(status.rawValue)")
        }
        filter.agentID = try agentID(filter.agentID, request)
        filter.isUnfinished = true
        return filter
    }
}
