import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Projections

/// Stops and starts of agents, tools and whole workspaces.
extension APIHandlers {
    func stopAgent(_ request: APIRequest) async throws -> APIAnswer {
        try await stop(.agent, try agentName(request).name, request)
    }

    func startAgent(_ request: APIRequest) async throws -> APIAnswer {
        try await start(.agent, try agentName(request).name, request)
    }

    func stopTool(_ request: APIRequest) async throws -> APIAnswer {
        guard request.body["runs"] == nil else {
            throw APIError.badRequest("runs is for agents and workspaces: runs go on while a tool of theirs is stopped")
        }
        return try await stop(.tool, try request.parameter("name"), request)
    }

    func startTool(_ request: APIRequest) async throws -> APIAnswer {
        try await start(.tool, try request.parameter("name"), request)
    }

    func stopWorkspace(_ request: APIRequest) async throws -> APIAnswer {
        try await stop(.workspace, request.workspace.text, request)
    }

    func startWorkspace(_ request: APIRequest) async throws -> APIAnswer {
        try await start(.workspace, request.workspace.text, request)
    }

    /// The workspace's stops in force.
    func listControls(_ request: APIRequest) async throws -> APIAnswer {
        APIAnswer(.ok, JSONText(array: try await projections.controls(in: request.workspace).map(Self.json)))
    }

    /// The stops in force of one kind, by the names of what they stop.
    func controls(_ kind: ResourceKind, _ request: APIRequest) async throws -> [String: ControlRecord] {
        guard kind == .agent || kind == .tool else { return [:] }
        let controls = try await projections.controls(in: request.workspace)
        let known = controls.filter { $0.kind.rawValue == kind.rawValue }.map { ($0.name, $0) }
        return Dictionary(known) { first, _ in first }
    }

    private func stop(_ kind: ControlKind, _ name: String, _ request: APIRequest) async throws -> APIAnswer {
        let stopped = ControlStopped(
            kind: kind, name: name, reason: try request.body.text("reason"), holdsRuns: try holdsRuns(request))
        let receipt = try await execute(.stop(StopControl(id: commands.newID(), stopped)), request)
        return try await answer(kind, name, request, receipt)
    }

    private func start(_ kind: ControlKind, _ name: String, _ request: APIRequest) async throws -> APIAnswer {
        let started = ControlStarted(kind: kind, name: name, reason: try request.body.text("reason"))
        return try await answer(kind, name, request, try await execute(.start(started), request))
    }

    private func answer(
        _ kind: ControlKind, _ name: String, _ request: APIRequest, _ receipt: Receipt
    ) async throws -> APIAnswer {
        let control = try await projections.controls(in: request.workspace)
            .first { $0.kind == kind && $0.name == name }
        let answer =
            control.map(Self.json)
            ?? .object { json in
                json.add("kind", kind.rawValue)
                json.add("name", name)
                json.add("status", "started")
            }
        return APIAnswer(.ok, answer, position: receipt.position)
    }

    private func holdsRuns(_ request: APIRequest) throws -> Bool {
        switch try request.body.text("runs") ?? "hold" {
        case "hold": true
        case "cancel": false
        default: throw APIError.badRequest("runs must be hold, which lets them wait for the start, or cancel")
        }
    }

    private static func json(_ control: ControlRecord) -> JSONText {
        .object { json in
            json.add("kind", control.kind.rawValue)
            json.add("name", control.name)
            json.add("status", "stopped")
            json.add("runs", control.holdsRuns ? "hold" : "cancel")
            json.add("reason", control.reason)
            json.add("stopped_by", control.stoppedBy)
            json.add("stopped_at", control.stoppedAt)
        }
    }
}

extension ControlRecord {
    /// The phase of what is stopped, in the place of the one that was recorded before.
    static let phase = "Stopped"

    /// One line for a status.
    var message: String { "stopped by \(stoppedBy)" + (reason.map { ": \($0)" } ?? "") }
}
