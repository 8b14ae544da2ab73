import CommandHandling
import Domain
import EventStreaming
import Gateways
import Governance
import HTTPTypes
import Hummingbird
import Projections
import Secrets

extension APIHandlers {
    func blockAction(_ request: APIRequest) async throws -> APIAnswer {
        let id = try request.runID()
        let body = request.body
        let block = BlockAction(
            actionID: commands.newID(), toolID: try body.requiredText("tool_id"),
            capability: try body.text("capability"), payloadHash: try body.text("payload_hash").map(PayloadHash.init),
            method: try body.text("tool_method"), url: try body.text("tool_url"))
        let receipt = try await executing(.blockAction(run: id, block), request, run: id) { run in
            .conflict("run is \(run.status.rawValue), must be RUNNING to create actions")
        }
        // A repeated request blocked its action the first time.
        let stored = receipt.events.lazy.compactMap { recorded in
            if case .actionBlocked(let blocked) = recorded.event.payload { blocked.actionID } else { nil }
        }.first
        return APIAnswer(
            .created, try await action(stored ?? block.actionID, of: id).json, position: receipt.position)
    }

    func listActions(_ request: APIRequest) async throws -> APIAnswer {
        let run = try await run(try request.runID(), request)
        var actions: [JSONText] = []
        for action in try await projections.actions(of: run.id) {
            actions.append(try await shown(action, of: run, request))
        }
        return APIAnswer(.ok, JSONText(array: actions))
    }

    func getAction(_ request: APIRequest) async throws -> APIAnswer {
        let run = try await run(try request.runID(), request)
        let action = try await action(try request.actionID(), of: run.id)
        return APIAnswer(
            .ok, try await shown(action, of: run, request).adding(try await blockedCall(action.id, of: run)))
    }

    func approveAction(_ request: APIRequest) async throws -> APIAnswer {
        let (run, action) = (try request.runID(), try request.actionID())
        let hash = try approvedHash(request)
        let command = Command.approveAction(
            run: run, action: action, payloadHash: hash, reason: try request.body.freeText("reason"),
            signature: try await signature(.approve, on: action, of: run, request))
        return try await decide(command, "approve", run, action, request)
    }

    func rejectAction(_ request: APIRequest) async throws -> APIAnswer {
        let (run, action) = (try request.runID(), try request.actionID())
        let command = Command.rejectAction(
            run: run, action: action, reason: try request.body.freeText("reason"),
            signature: try await signature(.reject, on: action, of: run, request))
        return try await decide(command, "reject", run, action, request)
    }

    func requestAccess(_ request: APIRequest) async throws -> APIAnswer {
        let body = request.body
        let runID: RunID? = try body.text("run_id").map { text in
            guard let id = RunID(text) else { throw APIError.notFound("run \(text.excerpt) not found") }
            return id
        }
        let toolID = try body.requiredText("tool_id", "tool")
        let access = RequestAccess(
            requestID: commands.newID(), subject: try body.requiredText("subject"), toolID: toolID,
            agentID: try agentID(try body.text("agent_id", "agent"), request),
            duration: try body.duration("duration"), runID: runID, actionID: commands.newID(),
            capability: try body.text("capability"), payloadHash: try body.text("payload_hash").map(PayloadHash.init),
            method: try body.text("tool_method"), url: try body.text("tool_url"),
            tool: try await toolIdentity(toolID, request))
        let receipt: Receipt
        if let runID {
            receipt = try await executing(.requestAccess(access), request, run: runID) { run in
                .conflict("run is \(run.status.rawValue), must be RUNNING to create actions")
            }
        } else {
            receipt = try await execute(.requestAccess(access), request)
        }
        if let event = receipt.events.first {
            let record = try await accessRequest(AccessRequestID(event.event.stream.id), request)
            return APIAnswer(.created, record.json, position: receipt.position)
        }
        guard let existing = commands.pendingAccessRequest(like: access, in: request.workspace) else {
            throw APIError.conflict("the same request was decided at this moment; send it again")
        }
        let record = try await accessRequest(existing, request)
        return APIAnswer(.ok, record.json, position: receipt.position)
    }

    /// The tool of that name as it is now; `nil` when there is none, or none that can be called.
    private func toolIdentity(_ name: String, _ request: APIRequest) async throws -> ToolIdentity? {
        guard let record = try await projections.resource(.tool, named: name, in: request.workspace),
            let tool = try? GovernedTool(name: name, document: record.document.value)
        else { return nil }
        return ToolIdentity(id: record.id, origin: tool.baseURL.origin)
    }

    /// What is PENDING unless another status is asked for, newest first.
    func listAccessRequests(_ request: APIRequest) async throws -> Response {
        let text = request.query("status")?.uppercased() ?? AccessRequestStatus.pending.rawValue
        guard let status = AccessRequestStatus(rawValue: text) else {
            throw APIError.badRequest("status must be one of PENDING, APPROVED, REJECTED, EXPIRED")
        }
        if let agent = request.principal.agent {
            throw APIError(
                .forbidden, .forbidden, "a key of agent \(agent) may not list requests; ask for one by its id")
        }
        let order = try request.order(AccessRequestField.createdAt, isDescending: true)
        let start = try await listStart(request, by: order)
        let workspace = request.workspace
        if let limit = try request.listLimit() {
            let page = try await projections.accessRequests(
                status: status, by: order, after: start, limit: limit, in: workspace)
            return try listPage(page, request, cursor: \.position) { $0.json }
        }
        let list = WholeList(after: start, place: { $0.place(by: order.field) }, json: { $0.json }) {
            [projections] after, limit in
            try await projections.accessRequests(status: status, by: order, after: after, limit: limit, in: workspace)
        }
        return try await wholeList(list, request)
    }

    func getAccessRequest(_ request: APIRequest) async throws -> APIAnswer {
        let access = try await accessRequest(try accessRequestID(request), request)
        guard let runID = access.runID, let actionID = access.actionID else {
            return APIAnswer(.ok, access.json)
        }
        let call = try await blockedCall(actionID, of: try await run(runID, request))
        return APIAnswer(.ok, access.json.adding(call))
    }

    /// What whoever decides has to see of a call that the gate blocked: why it waits, and its body.
    private func blockedCall(_ id: ActionID, of run: RunRecord) async throws -> [JSONValue.Member] {
        guard let call = try await projections.blockedCall(id, of: run.id) else { return [] }
        return [
            .init(name: "message", value: .string(call.reason)),
            .init(name: "approval", value: .string(call.requirement.name)),
            .init(name: "approver_groups", value: .array(call.requirement.groups.map(JSONValue.string))),
            .init(name: "approver_match", value: .string(call.requirement.match)),
            .init(name: "signature_required", value: .bool(call.requirement.needsSignature)),
            .init(name: "tool_headers", value: call.headers.value),
        ] + (call.requirement.clausesJSON.map { [.init(name: "approver_clauses", value: $0)] } ?? [])
            + votes(on: id, of: run.id) + blockedBody(call, of: id, run.id, in: run.workspace).members
    }

    /// The approvals so far of a call that needs several, and those that count no more; nothing before the first.
    ///
    /// They come from the writer's memory, which has no history: an answer for the past is without them.
    private func votes(on action: ActionID, of run: RunID) -> [JSONValue.Member] {
        guard PointInTime.current == nil else { return [] }
        let votes = commands.votes(on: action, in: run).map { vote, lostStanding in
            var members: [JSONValue.Member] = [
                .init(name: "approver_id", value: .string(vote.approver.name)),
                .init(name: "groups", value: .array(vote.groups.map(JSONValue.string))),
                .init(name: "counts", value: .bool(lostStanding == nil)),
            ]
            if let lostStanding { members.append(.init(name: "reason", value: .string(lostStanding))) }
            return JSONValue.object(members)
        }
        return votes.isEmpty ? [] : [.init(name: "votes", value: .array(votes))]
    }

    func blockedBody(
        _ call: BlockedCall, of action: ActionID, _ run: RunID, in workspace: WorkspaceName
    ) -> BlockedBody {
        guard let sealed = call.payload else { return .notKept }
        return BlockedBody(try? vault.open(sealed, for: .blockedBody(workspace, run, action)))
    }

    func approveAccess(_ request: APIRequest) async throws -> APIAnswer {
        let id = try accessRequestID(request)
        let scope = try request.body.text("scope").map(Self.scope)
        let duration = try request.body.duration("duration")
        let access = try await accessRequest(id, request)
        if let own = access.ownAction {
            let hash = try approvedHash(request) ?? access.payloadHash.map(PayloadHash.init)
            return try await decide(
                on: access,
                .approveAction(
                    run: own.run, action: own.action, payloadHash: hash, reason: try request.body.freeText("reason"),
                    signature: try await signature(.approve, on: own.action, of: own.run, request)), request)
        }
        let grant = Self.grant(scope, duration, of: access)
        let approve = ApproveAccess(
            requestID: id, scope: scope, duration: grant?.duration ?? duration,
            reason: try request.body.freeText("reason"), payloadHash: try approvedHash(request),
            signature: try await signature(.approve, on: id, grant: grant, request))
        return try await decideAccess(.approveAccess(approve), id, request)
    }

    func rejectAccess(_ request: APIRequest) async throws -> APIAnswer {
        let id = try accessRequestID(request)
        let access = try await accessRequest(id, request)
        if let own = access.ownAction {
            return try await decide(
                on: access,
                .rejectAction(
                    run: own.run, action: own.action, reason: try request.body.freeText("reason"),
                    signature: try await signature(.reject, on: own.action, of: own.run, request)), request)
        }
        return try await decideAccess(
            .rejectAccess(
                request: id, reason: try request.body.freeText("reason"),
                signature: try await signature(.reject, on: id, grant: nil, request)), id, request)
    }

    /// The hash that the approver vouches for; header and body must agree when both come.
    private func approvedHash(_ request: APIRequest) throws -> PayloadHash? {
        let inBody = try request.body.text("payload_hash").map(PayloadHash.init)
        let inHeader = request.header(.payloadHash).map(PayloadHash.init)
        if let inBody, let inHeader, !inBody.matches(inHeader) { throw APIError.conflict("payload_hash mismatch") }
        return inHeader ?? inBody
    }

    private func decide(
        _ command: Command, _ verb: String, _ run: RunID, _ id: ActionID, _ request: APIRequest
    ) async throws -> APIAnswer {
        do {
            let receipt = try await executing(command, request, run: run) { _ in
                let action = try await self.action(id, of: run)
                return .conflict("action is \(action.status.rawValue), must be BLOCKED to \(verb)")
            }
            return APIAnswer(.ok, try await action(id, of: run).json, position: receipt.position)
        } catch let error as APIError where error.message == "run \(run) not found" {
            throw APIError.notFound("action \(id) not found")
        }
    }

    private func decideAccess(
        _ command: Command, _ id: AccessRequestID, _ request: APIRequest
    ) async throws -> APIAnswer {
        do {
            let receipt = try await execute(command, request)
            return APIAnswer(
                .ok, try await accessRequest(id, request).json, position: receipt.position)
        } catch let error as CommandError {
            guard case .rejected(let rejection) = error,
                rejection.code == .accessRequestNotActive || rejection.code == .runNotActive
            else { throw error }
            _ = try await accessRequest(id, request)
            throw APIError.conflict("request is not pending")
        }
    }

    /// Decides a request for an action that a client made: the action is approved or rejected, and nothing is granted.
    private func decide(
        on access: AccessRequestRecord, _ command: Command, _ request: APIRequest
    ) async throws -> APIAnswer {
        guard access.status == .pending || request.idempotency != nil, let run = access.runID else {
            throw APIError.conflict("request is not pending")
        }
        let receipt = try await executing(command, request, run: run) { _ in .conflict("request is not pending") }
        return APIAnswer(.ok, try await accessRequest(access.id, request).json, position: receipt.position)
    }

    func action(_ id: ActionID, of run: RunID) async throws -> ActionRecord {
        guard let action = try await projections.action(id, of: run) else {
            throw APIError.notFound("action \(id) not found")
        }
        return action
    }

    func accessRequest(
        _ id: AccessRequestID, _ request: APIRequest
    ) async throws -> AccessRequestRecord {
        guard let record = try await projections.accessRequest(id, in: request.workspace) else {
            throw APIError.notFound("request not found")
        }
        guard request.principal.agent == nil || request.principal.agent == record.agentID else {
            throw APIError.notFound("request not found")
        }
        return record
    }

    func accessRequestID(_ request: APIRequest) throws -> AccessRequestID {
        try request.identifier("id") { _ in "request not found" }
    }
}
