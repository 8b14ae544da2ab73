import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Projections

/// The end of a key, and of what was made with it.
extension APIHandlers {
    private static let listedMax = 1_000

    /// Lists what a key created or changed and what exists, also after its end.
    func listMadeByAPIKey(_ request: APIRequest) async throws -> APIAnswer {
        let id = try keyID(request)
        guard try await projections.knows(id, in: request.workspace) else {
            throw APIError.notFound("api key \(id) not found")
        }
        let made = try await projections.made(by: id, limit: Self.listedMax)
        return APIAnswer(.ok, made.json.finished())
    }

    /// Revokes a key, lists what was made with it, and with `cancel_runs` cancels its unfinished runs, the 1,000 oldest at most.
    func revokeAPIKey(_ request: APIRequest) async throws -> APIAnswer {
        let id = try keyID(request)
        let cancels = try request.flag("cancel_runs")
        let receipt = try await execute(.revokeAPIKey(id: id), request)
        dependencies.keyUses.forget(id)
        let made = try await projections.made(by: id, limit: Self.listedMax)
        let cancelled = cancels ? try await cancelRuns(of: id, made, request) : nil
        var json = JSONObject()
        json.add("status", "deleted")
        if let cancelled {
            json.add("cancelled", cancelled.count)
            json.add("remaining", max(0, made.unfinishedRuns.reduce(0) { $0 + $1.count } - cancelled.tried))
        }
        json.add("created", made.json)
        let position = [receipt.position, cancelled?.position].compactMap(\.self).max()
        return APIAnswer(.ok, json.finished(), position: position)
    }

    private func cancelRuns(
        of key: APIKeyID, _ made: MadeByKey, _ request: APIRequest
    ) async throws -> (count: Int, tried: Int, position: Position?) {
        var filter = RunFilter()
        filter.isUnfinished = true
        filter.creatorKey = key
        var (count, tried, position) = (0, 0, Position?.none)
        for (workspace, _) in made.unfinishedRuns where tried < Self.cancelledMax {
            let runs = try await oldest(Self.cancelledMax - tried, filter, in: workspace)
            let cancelled = try await cancel(
                runs.map(\.id), in: workspace, reason: "cancelled: its API key was revoked", request)
            tried += runs.count
            count += cancelled.count
            position = [position, cancelled.position].compactMap(\.self).max()
        }
        if let position { try await projections.reach(position) }
        return (count, tried, position)
    }

    private func keyID(_ request: APIRequest) throws -> APIKeyID {
        try request.identifier("id") { "api key \($0) not found" }
    }
}

extension APIRequest {
    /// A query parameter that is `true` or `false`; absent means `false`.
    func flag(_ name: String) throws(APIError) -> Bool {
        switch query(name) {
        case nil, "false": false
        case "true": true
        default: throw .badRequest("\(name) must be true or false")
        }
    }
}
