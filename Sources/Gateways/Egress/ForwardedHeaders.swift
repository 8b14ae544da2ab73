import Domain

/// Which headers go on, in both directions.
enum ForwardedHeaders {
    /// Of one connection alone (RFC 9110, section 7.6.1).
    private static let hopByHop: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "expect",
    ]

    /// What an agent may not say for itself: who it is, who it acts for, other credentials than the tool's, and another
    /// method than the one that was judged.
    private static let notAnAgents: Set<String> = [
        "host", "content-length", "accept-encoding", "authorization", "cookie", "x-runagents-api-key",
        "x-workspace-namespace",
        "x-end-user-id", "x-run-id", "idempotency-key", "forwarded", "x-forwarded-for", "x-forwarded-host",
        "x-forwarded-proto", "x-real-ip", "x-http-method", "x-http-method-override", "x-method-override",
    ]

    /// What whoever decides on a call sees of its headers.
    private static let shown: Set<String> = [
        "content-type", "content-encoding", "accept", "if-match", "if-none-match", "prefer", "x-tool-function",
    ]

    /// The headers of a call to a tool, without its credentials.
    static func ofCall(
        _ request: EgressRequest, run: RunState, idempotencyKey: String?
    ) -> [(name: String, value: String)] {
        var headers = kept(request.headers, without: notAnAgents)
        headers.append(("x-end-user-id", HeaderText.encoded(run.userID)))
        headers.append(("x-run-id", run.id.description))
        if let idempotencyKey { headers.append(("idempotency-key", idempotencyKey)) }
        return headers
    }

    /// The headers of a tool's answer.
    static func ofAnswer(_ headers: [(name: String, value: String)]) -> [(name: String, value: String)] {
        kept(headers, without: ["content-length"])
    }

    static func shown(of request: EgressRequest) -> JSONText {
        let members = request.headers.filter { shown.contains($0.name.lowercased()) }.map { header in
            JSONValue.Member(name: header.name.lowercased(), value: .string(header.value))
        }
        return JSONValue.object(members).text
    }

    private static func kept(
        _ headers: [(name: String, value: String)], without others: Set<String>
    ) -> [(name: String, value: String)] {
        let named = headers.filter { $0.name.lowercased() == "connection" }.flatMap { header in
            header.value.split(separator: ",").map { $0.trimmingSpaces.lowercased() }
        }
        let dropped = hopByHop.union(others).union(named)
        return headers.filter { !dropped.contains($0.name.lowercased()) }
    }
}

extension Substring {
    fileprivate var trimmingSpaces: Substring {
        var text = self
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
