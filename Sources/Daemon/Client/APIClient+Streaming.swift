import Domain
import NIOCore
import Outbound

extension APIClient {
    private static let refusalBytesMax = 65_536
    /// A stream ends when the daemon or the operator ends it.
    private static let unlimited = Duration.seconds(10 * 365 * 24 * 3600)

    /// Hands out a stream's bytes as they come, until it ends.
    ///
    /// - Parameter take: answers whether it wants more.
    /// - Throws: `DaemonError`, as `request` does; also when the stream is cut off.
    package func follow(
        _ path: String, headers: [(name: String, value: String)] = [], _ take: @Sendable ([UInt8]) -> Bool
    ) async throws {
        do {
            let request = try OutboundRequest(
                "GET", OutboundURL.escaping(url + path),
                headers: [(name: "Authorization", value: "Bearer \(key)")] + headers, addresses: .unrestricted,
                limits: OutboundLimits(headTimeout: Self.unlimited, bodyBytesMax: .max))
            try await OutboundClient.with { client in
                let response = try await client.execute(request)
                guard response.status < 300 else {
                    var body: [UInt8] = []
                    for try await part in response.body where body.count < Self.refusalBytesMax {
                        body += part.readableBytesView
                    }
                    throw Self.refusal(response.status, try JSONValue(parsing: body))
                }
                for try await part in response.body where !take(Array(part.readableBytesView)) { break }
            }
        } catch let error as DaemonError {
            throw error
        } catch {
            throw unreachable(error)
        }
    }
}
