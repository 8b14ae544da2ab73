import AsyncHTTPClient
import CommandHandling
import Domain
import Governance
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Projections
import Secrets

/// Making a call that is allowed, and recording what came of it before the agent hears of it.
extension EgressGateway {
    private enum Result {
        case head(HTTPClientResponse)
        /// The tool did not get the call, for all that can be known.
        case unreached(status: Int, code: String, error: String)
        /// It may have got it.
        case unknown(error: String)
    }

    func make(_ call: ToolCall, _ asked: AskedCall) async throws -> EgressAnswer {
        let start = ContinuousClock.now
        let result = await send(call, asked)
        func record(_ outcome: ToolCalled.Outcome, bytes: UInt64 = 0, answer: [UInt8]? = nil) async throws {
            let called = ToolCalled(
                call: call, outcome: outcome, latency: start.duration(to: .now), answerBytes: bytes, answer: answer)
            try await self.record(called, asked)
        }
        switch result {
        case .unreached(let status, let code, let error):
            try await record(.unreached(statusCode: UInt32(status), error: error))
            return .refusal(status, code, error)
        case .unknown(let error):
            try await record(.unknown(error: error))
            return .refusal(504, "TOOL_BROKE_OFF", "the tool did not answer: \(error)")
        case .head(let response):
            return try await answer(response, call, asked) { try await record($0, bytes: $1, answer: $2) }
        }
    }

    /// Reads the answer, and records it first; one that is long, or has no end, is recorded when that is seen, and goes
    /// on to the agent as it comes.
    private func answer(
        _ response: HTTPClientResponse, _ call: ToolCall, _ asked: AskedCall,
        _ record: (ToolCalled.Outcome, UInt64, [UInt8]?) async throws -> Void
    ) async throws -> EgressAnswer {
        let status = Int(response.status.code)
        let headers = ForwardedHeaders.ofAnswer(response.headers.map { ($0.name, $0.value) })
        let isStream = response.headers.first(name: "content-type")?.hasPrefix("text/event-stream") == true
        let chunks = AnswerChunks(response.body)
        let begun: BegunAnswer
        do {
            begun = isStream ? .goesOn([]) : try await BegunAnswer(chunks, bytesMax: configuration.keptAnswerBytesMax)
        } catch {
            try await record(.unknown(error: "the answer broke off: \(error)"), 0, nil)
            return .refusal(502, "TOOL_BROKE_OFF", "the tool's answer broke off: \(error)")
        }
        let outcome = ToolCalled.Outcome.answered(statusCode: UInt32(status))
        switch begun {
        case .whole(let body):
            let kept = KeptAnswer(status: status, headers: headers, body: body)
            try await record(outcome, UInt64(body.count), await sealed(kept, call, asked))
            return EgressAnswer(status: status, headers: headers, body: .whole(body))
        case .goesOn(let body):
            try await record(outcome, UInt64(body.count), nil)
            return EgressAnswer(status: status, headers: headers, body: .streamed(rest(of: chunks, after: body)))
        }
    }

    /// The answer as it is kept; `nil` when there is no key for it: the tool has done what it was asked, and that is
    /// what has to be recorded.
    private func sealed(_ kept: KeptAnswer, _ call: ToolCall, _ asked: AskedCall) async -> [UInt8]? {
        do {
            return try await vault.seal(
                kept.bytes, for: .answer(asked.run.workspace, asked.run.id, call.id), at: commands.clock.now())
        } catch {
            logger.error(
                "an answer cannot be sealed, and is not kept", metadata: ["call": "\(call.id)", "error": "\(error)"])
            return nil
        }
    }

    private func rest(
        of chunks: AnswerChunks, after begun: [UInt8]
    ) -> @Sendable ((ByteBuffer) async throws -> Void) async throws -> Void {
        let limit = configuration.answerBytesMax
        return { write in
            if !begun.isEmpty { try await write(ByteBuffer(bytes: begun)) }
            var count = begun.count
            while let chunk = try await chunks.next() {
                count += chunk.readableBytes
                guard count <= limit else { throw HTTPClientError.cancelled }
                try await write(chunk)
            }
        }
    }

    private func record(_ called: ToolCalled, _ asked: AskedCall) async throws {
        do {
            let receipt = try await commands.execute(
                .recordToolCall(run: asked.run.id, called), asked.commandRequest)
            // Whoever is told of the answer may ask for it again at once.
            try await projections.reach(receipt.position)
        } catch let error as CommandError {
            guard case .rejected(let rejection) = error, rejection.code == .runNotActive else { throw error }
            // The run was ended meanwhile, and does not change any more.
            logger.warning(
                "a call of a tool outlasted its run", metadata: ["run": "\(asked.run.id)", "call": "\(called.call.id)"])
        }
    }

    /// Sends the call with its credentials, and once more when these were stale.
    private func send(_ call: ToolCall, _ asked: AskedCall) async -> Result {
        let bare = OutgoingCall(
            method: call.method, url: call.url,
            headers: ForwardedHeaders.ofCall(
                asked.request, run: asked.run,
                idempotencyKey: ["GET", "HEAD"].contains(call.method) ? nil : asked.idempotencyKey(call)),
            body: asked.request.body)
        do throws(CredentialError) {
            let injector = try credentials.injector(
                for: ResourceKey(workspace: asked.run.workspace, kind: .tool, name: asked.tool.name),
                authentication: asked.document["spec"]?["connection"]?["authentication"])
            let first = try await injector.apply(to: bare)
            let result = await send(first, asked.tool)
            guard case .head(let response) = result, response.status == .unauthorized,
                injector.mayRenew(after: first)
            else { return result }
            return await send(try await injector.apply(to: bare), asked.tool)
        } catch {
            return .unreached(status: 502, code: "CREDENTIALS_UNUSABLE", error: error.description)
        }
    }

    private func send(_ call: OutgoingCall, _ tool: GovernedTool) async -> Result {
        var request = HTTPClientRequest(url: call.url)
        request.method = HTTPMethod(rawValue: call.method)
        request.headers = HTTPHeaders(call.headers.map { ($0.name, $0.value) })
        if !call.body.isEmpty || ["POST", "PUT", "PATCH"].contains(call.method) {
            request.body = .bytes(ByteBuffer(bytes: call.body))
        }
        let timeout = tool.timeout ?? configuration.timeout
        do {
            return .head(
                try await clients.client(for: tool).execute(
                    request, timeout: .milliseconds(Int64(timeout / .milliseconds(1)))))
        } catch let error as EgressClients.AddressRefused {
            let reason = AddressRule.refusal(of: error.address, for: tool) ?? "the address is not allowed"
            return .unreached(status: 403, code: "ADDRESS_REFUSED", error: reason)
        } catch {
            return Self.neverSent(error)
                ? .unreached(status: 502, code: "TOOL_UNREACHABLE", error: "the tool cannot be reached: \(error)")
                : .unknown(error: "\(error)")
        }
    }

    /// Whether the error says that there was no connection to send anything on.
    private static func neverSent(_ error: any Error) -> Bool {
        switch error {
        case let error as HTTPClientError:
            error == .connectTimeout || error == .getConnectionFromPoolTimeout || error == .emptyHost
                || error == .tlsHandshakeTimeout
        case is NIOConnectionError, is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: true
        case ChannelError.connectTimeout: true
        // Other codes can also be those of a connection that was up.
        case let error as IOError: error.errnoCode == ECONNREFUSED || error.errnoCode == EADDRNOTAVAIL
        default: false
        }
    }
}
