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
        return APIAnswer(.ok, try await made(by: id).json.finished())
    }

    /// Revokes a key, lists what was made with it, and with `cancel_runs` cancels its unfinished runs, the 1,000 oldest at most.
    ///
    /// With `cancel_runs` it can be repeated after it failed half-way: a key that is revoked already is no error then.
    func revokeAPIKey(_ request: APIRequest) async throws -> APIAnswer {
        let id = try keyID(request)
        guard try request.flag("cancel_runs") else {
            let position = try await revoke(id, request)
            return try await revoked(position, made(by: id))
        }
        // A revoked key cancels nothing any more, its own runs included.
        let isOwn = request.principal.caller == .apiKey(id)
        if isOwn { try commands.check(.revokeAPIKey(id: id), request.commandRequest) }
        let before = isOwn ? nil : try await revokeAgain(id, request)
        let found = try await made(by: id)
        let cancelled = try await cancelRuns(of: id, found, request)
        let after = isOwn ? try await revoke(id, request) : nil
        // Exact: the writer takes no command of a revoked key.
        let remaining = try await made(by: id).unfinishedRuns.reduce(0) { $0 + $1.count }
        return revoked([before, cancelled.position, after].compactMap(\.self).max(), found) { json in
            json.add("cancelled", cancelled.count)
            json.add("remaining", remaining)
        }
    }

    private func made(by key: APIKeyID) async throws(ProjectionError) -> MadeByKey {
        try await projections.made(by: key, limit: Self.listedMax)
    }

    private func revoked(
        _ position: Position?, _ made: MadeByKey, _ add: (inout JSONObject) -> Void = { _ in }
    ) -> APIAnswer {
        var json = JSONObject()
        json.add("status", "deleted")
        add(&json)
        json.add("created", made.json)
        return APIAnswer(.ok, json.finished(), position: position)
    }

    /// Revokes the key; then reads show that, and everything that it did.
    private func revoke(_ id: APIKeyID, _ request: APIRequest) async throws -> Position {
        let receipt = try await execute(.revokeAPIKey(id: id), request)
        dependencies.keyUses.forget(id)
        return receipt.position
    }

    /// The same, also for a key of the workspace that is revoked already.
    private func revokeAgain(_ id: APIKeyID, _ request: APIRequest) async throws -> Position {
        do {
            return try await revoke(id, request)
        } catch CommandError.rejected(let rejection) where rejection.code == .apiKeyNotFound {
            let position = commands.durablePosition
            try await projections.reach(position)
            guard try await projections.knows(id, in: request.workspace) else {
                throw CommandError.rejected(rejection)
            }
            dependencies.keyUses.forget(id)
            return position
        }
    }

    private func cancelRuns(
        of key: APIKeyID, _ made: MadeByKey, _ request: APIRequest
    ) async throws -> (count: Int, position: Position?) {
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
        return (count, position)
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
