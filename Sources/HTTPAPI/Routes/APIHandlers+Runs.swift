import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Hummingbird
import Projections

extension APIHandlers {
    func createRun(_ request: APIRequest) async throws -> APIAnswer {
        let body = request.body
        let command = CreateRun(
            runID: commands.newID(), agentID: try agentID(inBodyOf: request),
            userID: try body.requiredText("user_id"), conversationID: try body.text("conversation_id"),
            invokeURL: try await invokeURL(request),
            initialMessage: try body.freeText("initial_message", "message", "input"))
        let receipt = try await execute(.createRun(command), request)
        let id = receipt.events.first.map { RunID($0.event.stream.id) } ?? command.runID
        return APIAnswer(
            .created, try await run(id, request).json(request.era, actions: []), position: receipt.position)
    }

    /// With no filter at all, what is RUNNING; else whatever matches, newest first.
    func listRuns(_ request: APIRequest) async throws -> Response {
        var filter = try Self.runFilter { request.query($0) }
        if filter == RunFilter() { filter.status = .running }
        filter.agentID = try agentID(filter.agentID, request)
        let order = try request.order(filter.naturalField, isDescending: true)
        do {
            try filter.check(order)
        } catch {
            throw APIError.badRequest(error.message)
        }
        let start = try await listStart(request, by: order)
        let (chosen, workspace, era) = (filter, request.workspace, request.era)
        if let limit = try request.listLimit() {
            let page = try await projections.runs(chosen, by: order, after: start, limit: limit, in: workspace)
            return try listPage(page, request, cursor: { $0.place(by: order.field).cursor(by: order) }) { $0.json(era) }
        }
        let list = WholeList(after: start, place: { $0.place(by: order.field) }, json: { $0.json(era) }) {
            [projections] after, limit in
            try await projections.runs(chosen, by: order, after: after, limit: limit, in: workspace)
        }
        return try await wholeList(list, request)
    }

    /// The filter of runs that a client sent, from the value of each name; the first name that has one counts.
    static func runFilter(_ value: (String) throws(APIError) -> String?) throws(APIError) -> RunFilter {
        var filter = RunFilter()
        for name in RunFilter.Name.allCases {
            for key in name.keys {
                guard let text = try value(key) else { continue }
                do {
                    try filter.set(name, text)
                } catch {
                    throw .badRequest(error.message)
                }
                break
            }
        }
        return filter
    }

    func getRun(_ request: APIRequest) async throws -> APIAnswer {
        let run = try await run(try request.runID(), request)
        let actions = request.era == .v1alpha ? try await projections.actions(of: run.id) : nil
        return APIAnswer(
            .ok, run.json(request.era, actions: actions, result: try await projections.result(of: run)))
    }

    func changeRun(_ request: APIRequest) async throws -> APIAnswer {
        let id = try request.runID()
        let status = try Self.status(try request.body.requiredText("status"))
        let receipt = try await executing(.changeRunStatus(run: id, status), request, run: id) { run in
            .conflict("invalid transition from \(run.status.rawValue) to \(status.rawValue)")
        }
        let run = try await run(id, request)
        return APIAnswer(
            .ok, run.json(request.era, result: try await projections.result(of: run)), position: receipt.position)
    }

    func cancelRun(_ request: APIRequest) async throws -> APIAnswer {
        let id = try request.runID()
        let reason = try Self.cancelReason(request)
        let receipt = try await executing(.failRun(run: id, reason: reason), request, run: id) { run in
            .conflict("run is \(run.status.rawValue) and cannot be cancelled")
        }
        return APIAnswer(.ok, try await run(id, request).json(request.era), position: receipt.position)
    }

    /// The reason that a cancelled run fails with.
    static func cancelReason(_ request: APIRequest) throws -> String {
        "cancelled" + (try request.body.freeText("reason").map { ": \($0.excerpt)" } ?? "")
    }

    /// Adds the event of the body; or all those on its lines, or none of them.
    func addEvents(_ request: APIRequest) async throws -> APIAnswer {
        let id = try request.runID()
        let lines: [JSONValue]? = if case .array(let lines) = request.body { lines } else { nil }
        let added = try lines.map(Self.addedEvents) ?? [Self.addedEvent(request.body)]
        let receipt = try await executing(.addRunEvents(run: id, added), request, run: id) { run in
            .conflict("run is \(run.status.rawValue); events can be added to an unfinished run only")
        }
        guard let first = receipt.events.first, let last = receipt.events.last else {
            throw APIError.notFound("run \(id) not found")
        }
        guard lines == nil else {
            let summary = JSONText.object { json in
                json.add("count", UInt64(receipt.events.count))
                json.add("first_seq", first.event.timeline?.sequence)
                json.add("last_seq", last.event.timeline?.sequence)
            }
            return APIAnswer(.created, summary, position: receipt.position)
        }
        let entry = EventDocument.timelineEntry(first, in: request.era.vocabulary)
        return APIAnswer(.created, entry, position: receipt.position)
    }

    private static func addedEvents(_ lines: [JSONValue]) throws(APIError) -> [RunEventAdded] {
        var added: [RunEventAdded] = []
        added.reserveCapacity(lines.count)
        for (index, line) in lines.enumerated() {
            do throws(APIError) {
                added.append(try addedEvent(line))
            } catch {
                throw .badRequest("event \(index + 1) of \(lines.count): \(error.message)")
            }
        }
        return added
    }

    private static func addedEvent(_ body: JSONValue) throws(APIError) -> RunEventAdded {
        RunEventAdded(
            type: try body.requiredText("type"), actor: try body.text("actor"),
            payloadHash: try body.text("payload_hash"), data: try body.object("data")?.text)
    }

    func listEvents(_ request: APIRequest) async throws -> Response {
        // It is for streams, and wrong here too when it is none.
        let calls = RepeatedCalls(projections)
        _ = try StreamFormat(request, calls)
        let run = try await run(try request.runID(), request)
        let start = try request.query("after_seq", in: 0...UInt64.max >> 1) ?? 0
        let end = try request.query("before_seq", in: 0...UInt64.max >> 1)
        let isDescending = try Self.isDescending(request)
        let limit = try request.query("limit", in: 1...UInt64.max >> 1).map(Int.init)
        let vocabulary = request.era.vocabulary
        let list = WholeList(
            limit: limit ?? .max, after: isDescending ? end : start, place: { $0.event.timeline?.sequence ?? start },
            json: { calls.entry($0, in: vocabulary) },
            read: { [projections] reached, limit in
                try await projections.timeline(
                    run.id, after: isDescending ? start : reached ?? start, before: isDescending ? reached : end,
                    isDescending: isDescending, limit: limit)
            })
        return try await wholeList(list, request)
    }

    /// The direction of a run's events: `asc`, oldest first, unless `desc` is asked for.
    private static func isDescending(_ request: APIRequest) throws(APIError) -> Bool {
        switch request.query("order") {
        case nil, "asc": false
        case "desc": true
        case let other?: throw .badRequest("order must be asc or desc, not \(other.excerpt)")
        }
    }

    func saveCheckpoint(_ request: APIRequest) async throws -> APIAnswer {
        let id = try request.runID()
        let saved = CheckpointSaved(
            checkpointID: commands.newID(), actionID: try request.body.requiredText("action_id"),
            document: request.keptBody,
            restartsHandler: try request.body.text("resume_mode") == "user_handler")
        let receipt = try await executing(.saveCheckpoint(run: id, saved), request, run: id, orFinished: unfinished)
        let stored = receipt.events.first?.event.payload
        let checkpointID =
            if case .checkpointSaved(let first)? = stored { first.checkpointID } else { saved.checkpointID }
        return APIAnswer(.created, .object { $0.add("id", checkpointID.description) }, position: receipt.position)
    }

    func getCheckpoint(_ request: APIRequest) async throws -> APIAnswer {
        let run = try await run(try request.runID(), request)
        let action = try request.parameter("action")
        guard let checkpoint = try await projections.checkpoint(run: run.id, action: action) else {
            throw APIError.notFound("checkpoint for action \(action.excerpt) not found")
        }
        return APIAnswer(.ok, GateAddress(request)?.restored(in: checkpoint.document) ?? checkpoint.document)
    }

    func recordToolResult(_ request: APIRequest) async throws -> APIAnswer {
        let id = try request.runID()
        let recorded = ToolResultRecorded(toolID: try request.body.text("tool_id"), document: request.keptBody)
        let receipt = try await executing(
            .recordToolResult(run: id, recorded), request, run: id, orFinished: unfinished)
        return APIAnswer(.created, .object { $0.add("status", "recorded") }, position: receipt.position)
    }

    private static func status(_ text: String) throws -> RunStatus {
        guard let status = RunStatus(rawValue: text) else {
            let known = RunStatus.allCases.map(\.rawValue).joined(separator: ", ")
            throw APIError.badRequest("status must be one of \(known), not \(text.excerpt)")
        }
        return status
    }

    /// The run, when it is the workspace's.
    func run(_ id: RunID, _ request: APIRequest) async throws -> RunRecord {
        guard let run = try await projections.run(id, in: request.workspace) else {
            guard let time = try await projections.expiry(of: id, in: request.workspace) else {
                throw APIError.notFound("run \(id) not found")
            }
            throw APIError.notFound("run \(id) has expired: since \(time) it is not kept any more (run-retention)")
        }
        let found = try checked(run, request)
        // A person without a role reads the runs that are for them.
        guard request.principal.role == nil, try await !isUser(request.principal, of: found) else { return found }
        throw APIError.notFound("run \(id) not found")
    }

    /// Executes a command on a run. The writer does not remember finished runs: what one of those answers is said by
    /// `orFinished`, from the read models.
    func executing(
        _ command: Command, _ request: APIRequest, run id: RunID,
        orFinished: @Sendable (RunRecord) async throws -> APIError
    ) async throws -> Receipt {
        do {
            return try await execute(command, request)
        } catch let error as CommandError {
            guard case .rejected(let rejection) = error, rejection.code == .runNotActive else { throw error }
            throw try await orFinished(try await run(id, request))
        }
    }

    private func unfinished(_ run: RunRecord) -> APIError { .conflict("run is \(run.status.rawValue)") }

    private func invokeURL(_ request: APIRequest) async throws -> String? {
        let given = try request.body.text("invoke_url")
        guard given != nil || request.body["invoke"] == .bool(true) else { return nil }
        let agent = try request.body.requiredText("agent_id", "agent")
        if let given {
            try checkURL(given, "invoke_url")
            try await checkEndUser(request, ofAgent: agent)
            return given
        }
        let address = try await invokeURL(ofAgent: agent, request)
        try await checkEndUser(request, ofAgent: agent)
        return address
    }
}
