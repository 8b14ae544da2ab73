import Domain
package import NIOCore

/// What the agent gets.
package struct EgressAnswer: Sendable {
    package enum Body: Sendable {
        case whole([UInt8])
        /// Writes it as it comes from the tool; throws when the tool breaks off, or sends too much.
        case streamed(@Sendable (_ write: (ByteBuffer) async throws -> Void) async throws -> Void)
    }

    package let status: Int
    package let headers: [(name: String, value: String)]
    package let body: Body
    /// To be called when the answer, or the beginning of one that is streamed, is about to be written.
    package private(set) var onDelivery: (@Sendable () -> Void)?

    init(status: Int, headers: [(name: String, value: String)], body: Body) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// True when all of its body is here.
    package var isWhole: Bool { if case .whole = body { true } else { false } }

    /// True when its content type is that of server-sent events.
    var isEventStream: Bool {
        headers.contains { header in
            header.name.lowercased() == "content-type" && header.value.lowercased().hasPrefix("text/event-stream")
        }
    }

    /// The same, which calls the function when it is about to be written.
    func noting(delivery: @escaping @Sendable () -> Void) -> EgressAnswer {
        var answer = self
        answer.onDelivery = delivery
        return answer
    }

    /// The same with other headers and body.
    private func with(_ headers: [(name: String, value: String)], _ body: Body) -> EgressAnswer {
        var answer = EgressAnswer(status: status, headers: headers, body: body)
        answer.onDelivery = onDelivery
        return answer
    }

    /// The same with the URLs in its headers as the agent can follow them.
    func following(_ references: ToolReferences) -> EgressAnswer {
        with(references.rewritten(headers), body)
    }

    /// The same, which keeps the object alive until its last part is written.
    func holding(_ object: some AnyObject & Sendable) -> EgressAnswer {
        guard case .streamed(let stream) = body else { return self }
        return with(
            headers,
            .streamed { write in
                try await stream(write)
                withExtendedLifetime(object) {}
            })
    }

    /// The gate's own answer: JSON with a code that the agent's runtime knows. Headers repeat the code and the action,
    /// for a client that must not read the body.
    static func refusal(
        _ status: Int, _ code: String, _ message: String, _ members: [JSONValue.Member] = []
    ) -> EgressAnswer {
        let document = JSONValue.object(
            [
                .init(name: "error", value: .string(message)), .init(name: "code", value: .string(code)),
                .init(name: "message", value: .string(message)),
            ] + members)
        var headers = [("content-type", "application/json"), ("sluice-code", code)]
        if let action = members.first(where: { $0.name == "action_id" })?.value.string {
            headers.append(("sluice-action", action))
        }
        return EgressAnswer(
            status: status, headers: headers,
            body: .whole(Array(document.text.text.utf8)))
    }
}
