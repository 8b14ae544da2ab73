import CommandHandling
import Domain
import EventStreaming
import Gateways
import HTTPTypes
import NIOCore
import Projections
import ServiceLifecycle

/// Invoking an agent: a run of it, and its own answer to the first turn.
extension APIHandlers {
    /// How long an agent may still take to say that it waits for an approval.
    private static let pauseGrace = Duration.seconds(5)

    /// Creates a run and answers what the agent does. The run does not need the client: it goes on when that leaves.
    ///
    /// Whom a token proves is the run's user; of the token itself the run knows nothing.
    func invokeAgent(_ request: APIRequest) async throws -> APIAnswer {
        let invoked = try await startInvoke(request)
        let id = invoked.run
        let channel = request.channel
        let registration = dependencies.access.register(request.principal) { channel.close(promise: nil) }
        defer { withExtendedLifetime(registration) {} }
        do {
            var answer = try await answer(try await turn(invoked.start), of: id, request)
            answer.headers[.position] = invoked.position.description
            return answer
        } catch let failure where failure is APIError || failure is CancellationError {
            var error = failure as? APIError ?? Self.shutdown(id)
            error.headers[.runID] = id.description
            throw error
        }
    }

    /// A run that an invoke has created.
    struct Invoked: Sendable {
        let run: RunID
        /// The position of the run's first event.
        let position: Position
        let start: FirstTurn
    }

    /// Creates the run of an invoke.
    func startInvoke(_ request: APIRequest) async throws -> Invoked {
        let (name, missing) = try agentName(request)
        let body = request.body
        guard let message = try body.freeText("message", "input", "initial_message") else {
            throw APIError.badRequest("message is required")
        }
        let address = try await invokeURL(ofAgent: name, request, notFound: missing)
        try await checkEndUser(request, ofAgent: name)
        let command = CreateRun(
            runID: commands.newID(), agentID: name, userID: try Self.userID(request),
            conversationID: try body.text("conversation_id"), invokeURL: address, initialMessage: message,
            input: Self.input(of: body), user: request.principal.endUser?.person)
        let receipt = try await execute(.createRun(command), request)
        let id = receipt.events.first.map { RunID($0.event.stream.id) } ?? command.runID
        var filter = EventFilter(workspace: request.workspace)
        filter.runID = id
        let start = FirstTurn(dependencies.streamer.follow(filter, after: receipt.position))
        return Invoked(run: id, position: receipt.position, start: start)
    }

    /// What the caller gets of a turn; with the links to open, for the run's user.
    func answer(_ turn: FirstTurn, of id: RunID, _ request: APIRequest) async throws -> APIAnswer {
        var answer = try Self.answer(turn, of: id)
        if let run = try await projections.run(id, in: request.workspace),
            try await mayConsent(to: run, request.principal)
        {
            answer.recordedBody = answer.body
            answer.body = try await withConsentLinks(answer.body, turn, of: run)
        }
        return answer
    }

    /// The user whom the token proves, else whom the body names, else the key.
    private static func userID(_ request: APIRequest) throws(APIError) -> String {
        let named = try request.body.text("user_id")
        guard let proven = request.principal.endUser?.userID else { return named ?? request.principal.name }
        guard named.map({ $0.utf8.elementsEqual(proven.utf8) }) ?? true else {
            throw .badRequest("user_id is not whom the token proves: leave it out")
        }
        return proven
    }

    /// What of the body the platform does not say itself: the agent gets it as it came.
    private static func input(of body: JSONValue) -> JSONText? {
        let own = ["message", "run_id", "user_id", "conversation_id", "action_id", "approved"]
        guard case .object(let members) = body else { return nil }
        let others = members.filter { !own.contains($0.name) }
        return others.isEmpty ? nil : JSONValue.object(others).text
    }

    /// Follows the run to the end of its first turn, for as long as an invoke may take.
    ///
    /// - Parameter show: receives each item of the run's log on the way.
    func turn(
        _ start: FirstTurn, _ show: @escaping @Sendable (StreamItem) async throws -> Void = { _ in }
    ) async throws -> FirstTurn {
        try await cancelWhenGracefulShutdown { [configuration] in
            let turn = try await start.advanced(within: configuration.invokeTimeout, pastPause: false, show)
            guard case .paused = turn.ending else { return turn }
            return try await turn.advanced(within: Self.pauseGrace, pastPause: true, show)
        }
    }

    private static func answer(_ turn: FirstTurn, of run: RunID) throws -> APIAnswer {
        var answer: APIAnswer
        switch turn.ending {
        case .completed(let completed) where !(200..<300).contains(completed.statusCode):
            // The agent ended its turn with an error while it waits for a decision.
            let paused: RunStatus = completed.outcome == .awaitingConsent ? .pausedConsent : .pausedApproval
            answer = APIAnswer(.accepted, status(paused, of: run))
        case .completed(let completed):
            answer = APIAnswer(
                HTTPResponse.Status(code: Int(completed.statusCode)),
                completed.response ?? status(.completed, of: run))
        case .paused(let paused): answer = APIAnswer(.accepted, status(paused, of: run))
        case .finished(let finished):
            guard finished.status == .failed else {
                answer = APIAnswer(.ok, status(finished.status, of: run))
                break
            }
            throw failure(turn.failure, finished.reason ?? "the run failed")
        case nil:
            throw APIError(
                .badGateway, .agentUnreachable,
                "failed to reach agent: no answer in time; run \(run) continues without this request")
        }
        answer.headers[.runID] = run.description
        return answer
    }

    /// The answer for the run's user: with the link to open, or with those of which the agent speaks.
    private func withConsentLinks(_ body: JSONText, _ turn: FirstTurn, of run: RunRecord) async throws -> JSONText {
        guard case .paused(.pausedConsent) = turn.ending else {
            return dependencies.consents.restored(body, run: run.id)
        }
        let waiting = try await projections.actions(of: run.id).last { $0.isConsent && $0.status == .blocked }
        guard let waiting else { return body }
        let link = dependencies.consents.link(run: run.id, action: waiting.id)
        return body.adding([
            .init(name: "action_id", value: .string(waiting.id.description)),
            .init(name: "authorization_url", value: .string(link)),
        ])
    }

    /// The agent's own error keeps its status.
    private static func failure(_ failed: InvokeFailed?, _ reason: String) -> APIError {
        guard let code = failed?.statusCode, (400..<600).contains(code) else {
            return APIError(.badGateway, .agentUnreachable, "failed to reach agent: \(reason)")
        }
        return APIError(HTTPResponse.Status(code: Int(code)), .agentFailed, failed?.error ?? reason)
    }

    private static func shutdown(_ run: RunID) -> APIError {
        APIError(.serviceUnavailable, .stopped, "Sluice is shutting down; run \(run) continues after the next start")
            .retryAfter(seconds: 30)
    }

    private static func status(_ status: RunStatus, of run: RunID) -> JSONText {
        .object { json in
            json.add("run_id", run.description)
            json.add("status", status.rawValue)
        }
    }
}
