import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Hummingbird
import Projections

/// An invoke whose answer is a stream, in the words of the published runtime's own `/invoke/stream`.
extension APIHandlers {
    static let invokeStreamPathSuffix = AuthenticationMiddleware.invokePathSuffix + "/stream"

    /// Creates a run, and sends what its first turn does: calls of tools as they are recorded, then the agent's answer.
    ///
    /// What can be refused is refused with its status before the stream begins. The run does not need the client.
    func streamInvoke(_ request: APIRequest) async throws -> Response {
        // Refused after the start, the client would repeat what the agent has done.
        let place = try takeStreamPlace(request, lastPart: StreamFormat.revoked)
        let invoked = try await startInvoke(request)
        let frames = InvokeStream(run: invoked.run)
        var response = stream(request, place) { stream in
            do {
                let turn = try await self.turn(invoked.start) { item in
                    let text = await frames.text(item)
                    if !text.isEmpty { try await stream.write(text) }
                }
                let answer = try await self.answer(turn, of: invoked.run, request)
                let waiting = try await self.waitingAction(of: invoked.run, turn)
                try await stream.write(await frames.ending(answer.body.value, waiting: waiting))
            } catch let error as APIError {
                try await stream.write(InvokeStream.failure(error.message))
            }
        }
        response.headers[.runID] = invoked.run.description
        response.headers[.position] = invoked.position.description
        return response
    }

    /// The action that the run waits for after its turn; `nil` for a run that goes on or is over.
    private func waitingAction(of run: RunID, _ turn: FirstTurn) async throws -> ActionRecord? {
        if case .finished? = turn.ending { return nil }
        return try await projections.actions(of: run).last { $0.status == .blocked }
    }
}

/// The frames of a streamed invoke.
actor InvokeStream {
    private static let end = "data: [DONE]\n\n"
    private static let resultCharactersMax = 1000

    private let run: RunID
    /// The calls through the gate so far.
    private var calls: [JSONValue] = []

    init(run: RunID) { self.run = run }

    /// The frames of an item of the run's log; empty for what is not shown.
    func text(_ item: StreamItem) -> String {
        switch item {
        case .heartbeat: return StreamFormat.heartbeat
        case .end: return ""
        case .event(let recorded):
            guard case .toolCalled(let called) = recorded.event.payload else { return "" }
            let (tool, method) = (JSONValue.string(called.call.toolID), JSONValue.string(called.call.method))
            let url = JSONValue.string(called.call.url)
            calls.append(.members(["tool": tool, "method": method, "url": url, "function": tool]))
            let status = called.outcome.statusCode.map { JSONValue.number(String($0)) }
            return Self.frame(["type": .string("tool_call"), "tool": tool, "method": method, "url": url])
                + Self.frame([
                    "type": .string("tool_result"), "tool": tool, "method": method, "url": url, "status_code": status,
                ])
        }
    }

    /// The agent's answer, and the end of the stream.
    ///
    /// - Parameter waiting: the action that the run waits for.
    func ending(_ answer: JSONValue, waiting: ActionRecord?) -> String {
        var text = ""
        let made = answer["tool_calls_made"].elements
        // Calls of an agent elsewhere do not pass the gate: it says itself what it called.
        if calls.isEmpty { text += made.map(Self.frames(ofCall:)).joined() }
        if let content = Self.content(answer) {
            text += Self.frame(["type": .string("content"), "delta": .string(content)])
        }
        for kind in ["approval_required", "consent_required"] {
            guard let detail = Self.detail(answer, kind, waiting, run) else { continue }
            text += Self.frame(["type": .string(kind), "tool": detail["tool"], "detail": detail])
        }
        let done = Self.frame([
            "type": .string("done"), "model": answer["model"],
            "tool_calls_made": .array(made.isEmpty ? calls : made), "run_id": .string(run.description),
        ])
        return text + done + Self.end
    }

    /// An error, and the end of the stream.
    static func failure(_ message: String) -> String {
        frame(["type": .string("error"), "message": .string(message)]) + end
    }

    private static func frames(ofCall call: JSONValue) -> String {
        let tool = call["function"] ?? call["tool"]
        let result = call["result"]?.string.map { JSONValue.string(String($0.prefix(resultCharactersMax))) }
        return frame(["type": .string("tool_call"), "tool": tool, "arguments": call["arguments"]])
            + frame(["type": .string("tool_result"), "tool": tool, "result": result])
    }

    /// The text of an answer: its `response`, or the whole of one that has none and is not the platform's own.
    private static func content(_ answer: JSONValue) -> String? {
        if let response = answer["response"] { return response.string ?? response.text.text }
        guard answer["run_id"] == nil || answer["status"] == nil else { return nil }
        return answer.string ?? answer.text.text
    }

    private static func detail(
        _ answer: JSONValue, _ kind: String, _ waiting: ActionRecord?, _ run: RunID
    ) -> JSONValue? {
        if case .object(let members)? = answer[kind] {
            // The link that the run's user opens is beside the agent's own words.
            let link = kind == "consent_required" ? answer["authorization_url"] : nil
            guard let link else { return .object(members) }
            return .object(
                members.filter { $0.name != "authorization_url" } + [.init(name: "authorization_url", value: link)])
        }
        guard let waiting, waiting.isConsent == (kind == "consent_required") else { return nil }
        return .members([
            "code": .string(kind.uppercased()), "action_id": .string(waiting.id.description),
            "tool": .string(waiting.toolID), "run_id": .string(run.description),
            "authorization_url": waiting.isConsent ? answer["authorization_url"] : nil,
        ])
    }

    private static func frame(_ members: KeyValuePairs<String, JSONValue?>) -> String {
        "data: " + JSONValue.members(members).text.text + "\n\n"
    }
}
