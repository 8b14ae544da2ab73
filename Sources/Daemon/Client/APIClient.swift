package import Domain
import Outbound

/// Asks a running daemon over its HTTP API, as the command line does.
package struct APIClient: Sendable {
    package static let timeout = Duration.seconds(30)
    package static let answerBytesMax = 16 * 1024 * 1024

    let url: String
    let key: String
    /// True when the daemon refuses members that it does not know.
    private let isStrict: Bool

    /// - Parameters:
    ///   - url: the daemon's address, such as `http://127.0.0.1:8092`.
    ///   - key: an API key whose role allows what will be asked.
    ///   - isStrict: has the daemon refuse members that it does not know.
    package init(url: String, key: String, isStrict: Bool = true) {
        self.isStrict = isStrict
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.key = key
    }

    /// Sends a request and returns the answer's JSON.
    ///
    /// - Parameter timeout: how long the whole of it may take.
    /// - Throws: `DaemonError`: `.daemonUnreachable`, `.notPermitted`, `.notFound` or `.requestRefused`.
    package func request(
        _ method: String, _ path: String, _ body: JSONValue? = nil, answerBytesMax: Int = Self.answerBytesMax,
        timeout: Duration = Self.timeout
    ) async throws -> JSONValue {
        let bytes = try await send(method, path, body, answerBytesMax: answerBytesMax, timeout: timeout)
        do {
            return try JSONValue(parsing: bytes)
        } catch {
            throw unreachable(error)
        }
    }

    /// Gets an answer that is plain text.
    ///
    /// - Throws: `DaemonError`, as `request` does.
    package func text(_ path: String) async throws -> String {
        let bytes = try await send("GET", path, nil, answerBytesMax: Self.answerBytesMax, timeout: Self.timeout)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func send(
        _ method: String, _ path: String, _ body: JSONValue?, answerBytesMax: Int, timeout: Duration
    ) async throws -> [UInt8] {
        var headers = [(name: "Authorization", value: "Bearer \(key)")]
        if body != nil { headers.append(("Content-Type", "application/json")) }
        if body != nil, isStrict { headers.append(("Prefer", "handling=strict")) }
        let status: Int
        let answer: [UInt8]
        let refusal: JSONValue
        do {
            let request = try OutboundRequest(
                method, OutboundURL.escaping(url + path), headers: headers, body: body.map { Array($0.text.text.utf8) },
                addresses: .unrestricted,
                limits: OutboundLimits(headTimeout: timeout, bodyBytesMax: answerBytesMax))
            (status, answer) = try await OutboundClient.with { client in
                let response = try await client.execute(request)
                return (response.status, try await response.body.collect())
            }
            guard status >= 300 else { return answer }
            refusal = try JSONValue(parsing: answer)
        } catch {
            throw unreachable(error)
        }
        throw Self.refusal(status, refusal)
    }

    /// The same client for bodies whose members another daemon has kept, known or not.
    var lenient: APIClient { APIClient(url: url, key: key, isStrict: false) }

    func unreachable(_ error: any Error) -> DaemonError {
        DaemonError(
            .daemonUnreachable, "no answer from \(url): \(error); is `sluice serve` running there? choose with --url")
    }

    static func refusal(_ status: Int, _ answer: JSONValue) -> DaemonError {
        let message = answer["error"]?.string ?? "status \(status)"
        return switch status {
        case 401: DaemonError(.notPermitted, "\(message); set SLUICE_API_KEY to an admin's key")
        case 403 where message.hasPrefix("a key of role"):
            DaemonError(.notPermitted, "\(message); set SLUICE_API_KEY to an admin's key")
        case 403: DaemonError(.notPermitted, message)
        case 404: DaemonError(.notFound, message)
        default: DaemonError(.requestRefused, message)
        }
    }
}
