import Domain
package import Outbound

/// Calls an agent that somebody else runs, by HTTP.
package struct RemoteHTTPDriver: InvokeDriver {
    /// The attempt's own deadline passes first, and says so.
    private static let deadlineMargin = Duration.seconds(5)
    private let client: OutboundClient
    private let configuration: ExecutorConfiguration

    package init(client: OutboundClient, configuration: ExecutorConfiguration) {
        self.client = client
        self.configuration = configuration
    }

    package func invoke(_ call: InvokeCall) async -> InvokeResult {
        await invoke(call, at: OutboundURL.escaping(Self.url(of: call)), addresses: .internet)
    }

    /// Makes the call at the address of this attempt, whose time runs from now on: the whole call, its answer's body
    /// included.
    func invoke(_ call: InvokeCall, at url: String, addresses: AddressPolicy) async -> InvokeResult {
        await withTaskGroup(of: InvokeResult.self) { group in
            group.addTask { await send(call, to: url, addresses: addresses) }
            group.addTask { [configuration] in
                do { try await Task.sleep(for: configuration.invokeTimeout) } catch { return .cancelled }
                return .unanswered("the agent's answer was not complete after \(configuration.invokeTimeout)")
            }
            defer { group.cancelAll() }
            return await group.next() ?? .cancelled
        }
    }

    private func send(_ call: InvokeCall, to url: String, addresses: AddressPolicy) async -> InvokeResult {
        do throws(OutboundError) {
            let request = try OutboundRequest(
                "POST", url, headers: Self.headers(of: call), body: Array(Self.body(of: call).text.utf8),
                addresses: addresses,
                limits: OutboundLimits(
                    headTimeout: configuration.invokeTimeout + Self.deadlineMargin,
                    bodyBytesMax: configuration.readBytesMax))
            let response = try await client.execute(request)
            let (body, bytesCut) = try await response.body.beginning(configuration.answerBytesMax)
            return .answered(statusCode: UInt32(response.status), body: body, bytesCut: bytesCut)
        } catch {
            if Task.isCancelled { return .cancelled }
            return switch error {
            case .invalidRequest, .addressRefused: .refused("the agent cannot be called: \(error)")
            case .refused: .unreached("the agent did not answer: \(error)")
            default: .unanswered("the agent did not answer: \(error)")
            }
        }
    }

    /// `…/invoke` becomes `…/resume/{action}`; an address without that ending gets the path appended.
    static func url(of call: InvokeCall) -> String {
        guard case .resume(let action) = call.purpose else { return call.invokeURL }
        var base = call.invokeURL[...]
        while base.hasSuffix("/") { base.removeLast() }
        if base.hasSuffix("/invoke") { base.removeLast(7) }
        return "\(base)/resume/\(action)"
    }

    private static func headers(of call: InvokeCall) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = [
            ("Content-Type", "application/json"), ("X-Run-ID", call.runID.description),
            ("X-Request-Id", call.requestID), ("X-End-User-Id", HeaderText.encoded(call.userID)),
            ("Idempotency-Key", call.idempotencyKey), ("X-Attempt", String(call.attempt)),
        ]
        if case .resume(let action) = call.purpose { headers.append(("X-Action-ID", action.description)) }
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
}
