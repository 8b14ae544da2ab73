import CommandHandling
import Domain
import HTTPTypes
import Projections

/// Answers that are given again to whoever asks again.
extension APIHandlers {
    /// Runs the handler, or gives the first answer again when its `Idempotency-Key` was used before.
    func answer(_ request: APIRequest, _ handler: RouteTable.Handler) async throws -> APIAnswer {
        guard let token = request.idempotency else { return try await handler(request) }
        if let recorded = try await commands.recordedAnswer(token, request.workspace) { return replay(recorded) }
        let answer = try await handler(request)
        let body = answer.recordedBody ?? answer.body
        let record = AnswerRecorded(token: token, statusCode: UInt32(answer.status.code), body: body.text)
        let receipt = try await commands.execute(
            .recordAnswer(record, person: try await person(of: request, body)),
            CommandRequest(workspace: request.workspace, actor: request.principal.actor))
        guard receipt.isRepeated, case .answerRecorded(let first)? = receipt.events.first?.event.payload else {
            return answer
        }
        return replay(first)
    }

    /// The request as it is, or without its `Idempotency-Key` where there is no room for that.
    ///
    /// For requests that end work: these are admitted, and a repetition is carried out again, which ends nothing more. So what
    /// is remembered stays within its limit.
    func withoutKeyIfFull(_ request: APIRequest) async -> APIRequest {
        guard let token = request.idempotency else { return request }
        do throws(CommandError) {
            _ = try await commands.recordedAnswer(token, request.workspace)
        } catch {
            // Any other error is met again by the request itself.
            if case .rejected = error { return request.with(body: request.body, idempotency: nil) }
        }
        return request
    }

    /// Whom an answer is about: it is sealed for them.
    private func person(of request: APIRequest, _ body: JSONText) async throws -> String? {
        let (asked, answered) = (request.body, body.value)
        for name in ["user_id", "subject"] {
            if let user = answered[name]?.string ?? asked[name]?.string { return user }
        }
        let inPath = request.hasParameter("id") ? try? request.runID() : nil
        let named = [answered["run_id"], answered["run"]?["id"], asked["run_id"]].compactMap { $0?.string }.first
        guard let run = inPath ?? named.flatMap({ RunID($0) }) else { return nil }
        return try await projections.run(run, in: request.workspace)?.userID
    }

    private func replay(_ recorded: AnswerRecorded) -> APIAnswer {
        var answer = APIAnswer(
            HTTPResponse.Status(code: Int(recorded.statusCode)), JSONText(verified: recorded.body))
        answer.headers[.idempotencyReplayed] = "true"
        return answer
    }
}
