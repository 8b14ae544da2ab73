import Domain
import NIOCore

extension ModelMeter {
    /// A call that has no answer: the caller gets an error of the gateway's own.
    ///
    /// - Parameter mayBeBilled: True when the provider may have taken the call: its prompt counts by an estimate then.
    func recordFailure(
        _ reason: String, of call: ModelCall, since start: ContinuousClock.Instant, usage: TokenUsage? = nil,
        mayBeBilled: Bool
    ) async {
        let estimate = mayBeBilled ? AnswerUsage(isEvents: false).estimate(of: call) : nil
        await record(
            ModelUsageReport(
                call: call, outcome: .failed(error: String(reason.prefix(1_024))), usage: usage ?? estimate,
                isEstimated: usage == nil && estimate != nil, latency: start.duration(to: .now)))
    }

    /// The answer, in OpenAI's or Anthropic's format, which is recorded before the caller has the last of it.
    ///
    /// A whole answer is recorded here and now. One that comes in parts is let through as it comes, but for the part
    /// that ends it: that waits for the record. When it breaks off, or the caller goes away, what came until then counts.
    ///
    /// - Parameter report: has the usage, once the stream has ended, when the provider told it in its own way, and why the
    ///   answer is not whole, when that is said within it.
    func metered(
        _ answer: EgressAnswer, of call: ModelCall, since start: ContinuousClock.Instant,
        report: AnswerReport, journaled: JournaledCall? = nil
    ) async -> EgressAnswer {
        let firstByte = start.duration(to: .now)
        let isEvents = answer.isEventStream
        let isSuccess = (200...299).contains(answer.status)
        @Sendable func record(_ reader: AnswerUsage, _ copy: AnswerCopy?, _ failure: String?) async {
            let failure = failure ?? report.failure ?? (isSuccess ? reader.failure : nil)
            var recorded: ModelAnswer?
            // A caller that has gone away may ask again, and act on that response.
            if let copy, isSuccess, failure == nil, !Task.isCancelled {
                recorded = await journaled?.answer(answer.status, answer.headers, copy)
            }
            let known = report.usage ?? (report.isOfTranslation ? nil : reader.usage)
            let usage = known ?? (isSuccess ? reader.estimate(of: call, isOfTranslation: report.isOfTranslation) : nil)
            await self.record(
                ModelUsageReport(
                    call: call,
                    outcome: failure.map { .failed(error: String($0.prefix(1_024))) }
                        ?? .answered(statusCode: UInt32(answer.status)),
                    isStreamed: isEvents, usage: usage, isEstimated: known == nil && usage != nil,
                    latency: start.duration(to: .now), timeToFirstByte: firstByte, answer: recorded))
        }
        switch answer.body {
        case .whole(let bytes):
            var reader = AnswerUsage(isEvents: isEvents)
            reader.read(bytes)
            reader.end()
            var copy = journaled?.copy
            copy?.append(bytes)
            await record(reader, call.caller.presence.isGone ? nil : copy, nil)
            return answer
        case .streamed(let stream):
            return EgressAnswer(
                status: answer.status, headers: answer.headers,
                body: .streamed { write in
                    var reader = AnswerUsage(isEvents: isEvents)
                    var copy = journaled?.copy
                    var held: ByteBuffer?
                    var isTaken = true
                    func give(_ part: ByteBuffer?) async throws {
                        guard let part else { return }
                        isTaken = false
                        try await write(part)
                        isTaken = true
                    }
                    do {
                        try await stream { part in
                            reader.read(part.readableBytesView)
                            copy?.append(part.readableBytesView)
                            try await give(held)
                            held = isEvents && !reader.isDone ? nil : part
                            if held == nil { try await give(part) }
                        }
                    } catch {
                        reader.end()
                        await record(
                            reader, nil,
                            isTaken && !call.caller.presence.isGone
                                ? "the answer broke off: \(error)" : "the caller did not take the whole answer")
                        throw error
                    }
                    reader.end()
                    if isEvents, isSuccess, !report.isOfTranslation, !reader.isWhole, reader.failure == nil {
                        // Its end is no end: the connection breaks off, so that no client takes it for one.
                        let broken = BrokenStream("the provider's stream ended early")
                        await record(reader, nil, broken.reason)
                        throw broken
                    }
                    await record(reader, copy, nil)
                    try await give(held)
                })
        }
    }
}
