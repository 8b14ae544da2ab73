package import AsyncHTTPClient
import Domain
import NIOCore
import NIOHTTP1
import SystemPackage

/// Calls an agent that somebody else runs, by HTTP.
package struct RemoteHTTPDriver: InvokeDriver {
    private let client: HTTPClient
    private let configuration: ExecutorConfiguration

    /// - Parameter client: must not follow redirects: an agent's address is what the operator wrote.
    package init(client: HTTPClient, configuration: ExecutorConfiguration) {
        self.client = client
        self.configuration = configuration
    }

    package func invoke(_ call: InvokeCall) async -> InvokeResult { await invoke(call, at: Self.url(of: call)) }

    /// Makes the call at the address of this attempt.
    func invoke(_ call: InvokeCall, at url: String) async -> InvokeResult {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers = Self.headers(of: call)
        request.body = .bytes(ByteBuffer(string: Self.body(of: call).text))
        do {
            let timeout = TimeAmount.milliseconds(Int64(configuration.invokeTimeout / .milliseconds(1)))
            let response = try await client.execute(request, timeout: timeout)
            return .answered(
                statusCode: UInt32(response.status.code), body: try await Self.read(response, configuration))
        } catch is CancellationError {
            return .cancelled
        } catch {
            if Task.isCancelled { return .cancelled }
            let reason = "the agent did not answer: \(error)"
            return Self.isUnreached(error) ? .unreached(reason) : .unanswered(reason)
        }
    }

    /// Only connecting fails with these.
    private static func isUnreached(_ error: any Error) -> Bool {
        guard let error = error as? IOError else { return false }
        return [Errno.connectionRefused, .noSuchFileOrDirectory].contains(Errno(rawValue: error.errnoCode))
    }

    /// `…/invoke` becomes `…/resume/{action}`; an address without that ending gets the path appended.
    static func url(of call: InvokeCall) -> String {
        guard case .resume(let action) = call.purpose else { return call.invokeURL }
        var base = call.invokeURL[...]
        while base.hasSuffix("/") { base.removeLast() }
        if base.hasSuffix("/invoke") { base.removeLast(7) }
        return "\(base)/resume/\(action)"
    }

    private static func headers(of call: InvokeCall) -> HTTPHeaders {
        var headers: HTTPHeaders = [
            "Content-Type": "application/json", "X-Run-ID": call.runID.description, "X-Request-Id": call.requestID,
            "X-End-User-Id": HeaderText.encoded(call.userID), "Idempotency-Key": call.requestID,
            "X-Attempt": String(call.attempt),
        ]
        if case .resume(let action) = call.purpose { headers.add(name: "X-Action-ID", value: action.description) }
        return headers
    }

    private static func body(of call: InvokeCall) -> JSONText {
        var members = [
            JSONValue.Member(name: "run_id", value: .string(call.runID.description)),
            JSONValue.Member(name: "user_id", value: .string(call.userID)),
        ]
        if let id = call.conversationID { members.append(.init(name: "conversation_id", value: .string(id))) }
        switch call.purpose {
        case .start:
            members.append(.init(name: "message", value: .string(call.message)))
            members += Self.input(of: call)
        case .resume(let action):
            members.append(.init(name: "action_id", value: .string(action.description)))
            members.append(.init(name: "approved", value: .bool(true)))
        }
        return JSONValue.object(members).text
    }

    /// What the client sent beside that; published agents read `history` in any case.
    private static func input(of call: InvokeCall) -> [JSONValue.Member] {
        guard case .object(let members)? = call.input?.value else {
            return [.init(name: "history", value: .array([]))]
        }
        let hasHistory = members.contains { $0.name == "history" }
        return members + (hasHistory ? [] : [.init(name: "history", value: .array([]))])
    }

    /// The body, or `nil` when it is larger than what is read.
    private static func read(
        _ response: HTTPClientResponse, _ configuration: ExecutorConfiguration
    ) async throws -> [UInt8]? {
        var bytes: [UInt8] = []
        for try await chunk in response.body {
            bytes += chunk.readableBytesView
            if bytes.count > configuration.answerBytesMax { return nil }
        }
        return bytes
    }
}
