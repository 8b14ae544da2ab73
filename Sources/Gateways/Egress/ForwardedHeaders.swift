import Domain
import Governance

/// Headers on their way to a tool and back.
enum ForwardedHeaders {
    /// Headers of one connection (RFC 9110, section 7.6.1).
    private static let hopByHop: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "expect",
    ]

    /// Headers by which the gate speaks to agents; a tool's are dropped.
    private static let ownPrefix = "sluice-"

    /// The headers of a call to a tool, without its credentials: what was judged, and the gate's own.
    static func ofCall(
        _ chosen: CallHeaders, of tool: GovernedTool, run: RunState, idempotencyKey: String?
    ) -> [(name: String, value: String)] {
        var headers = (chosen.bound + chosen.unbound).map { (name: $0.name, value: $0.value) }
        headers.append(("x-end-user-id", HeaderText.encoded(run.userID)))
        headers.append(("x-run-id", run.id.description))
        if tool.hasCredentials { headers.append(("accept-encoding", "identity")) }
        if let idempotencyKey { headers.append(("idempotency-key", idempotencyKey)) }
        return headers
    }

    /// The headers of a tool's answer, without those that only the gate may say.
    ///
    /// - Parameter isHead: true when they stand for those of GET, length included.
    static func ofAnswer(
        _ headers: [(name: String, value: String)], isHead: Bool = false
    ) -> [(name: String, value: String)] {
        let names = headers.map { $0.name.inLowerCase }
        let named = zip(names, headers).filter { $0.0 == "connection" }.flatMap { _, header in
            header.value.split(separator: ",").map { $0.trimmingBlanks.lowercased() }
        }
        return zip(names, headers).compactMap { name, header in
            let isForwarded =
                !hopByHop.contains(name) && !named.contains(name) && !name.hasPrefix(ownPrefix)
                && (isHead || name != "content-length")
            return isForwarded ? header : nil
        }
    }
}
