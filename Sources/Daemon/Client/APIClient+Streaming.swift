import AsyncHTTPClient
import Domain
import NIOCore
import NIOHTTP1

extension APIClient {
    private static let refusalBytesMax = 65_536

    /// Hands out a stream's bytes as they come, until it ends.
    ///
    /// - Parameter take: answers whether it wants more.
    /// - Throws: `DaemonError`, as `request` does; also when the stream is cut off.
    package func follow(
        _ path: String, headers: [(name: String, value: String)] = [], _ take: @Sendable ([UInt8]) -> Bool
    ) async throws {
        var request = HTTPClientRequest(url: url + path)
        request.headers.add(name: "Authorization", value: "Bearer \(key)")
        for header in headers { request.headers.add(name: header.name, value: header.value) }
        do {
            try await HTTPClient.withHTTPClient(configuration: .sluice) { client in
                let response = try await client.execute(request, deadline: .distantFuture)
                guard response.status.code < 300 else {
                    let body = try await response.body.collect(upTo: Self.refusalBytesMax)
                    throw Self.refusal(response.status.code, try JSONValue(parsing: Array(body.readableBytesView)))
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
