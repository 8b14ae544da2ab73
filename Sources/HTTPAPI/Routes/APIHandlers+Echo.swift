import Domain
import EventStreaming
import HTTPTypes
import Hummingbird
import NIOCore

/// The starter kit's tool: it answers with what it is sent, so that a first agent has something to call.
extension APIHandlers {
    static let echoPath = "/echo"
    private static let echoBytesMax = 64 * 1024

    /// Where the gate reaches it: the address that the client came to.
    func echoURL(_ channel: any Channel) -> String {
        let host = channel.localAddress?.ipAddress ?? "127.0.0.1"
        return "http://\(host.contains(":") ? "[\(host)]" : host):\(echoPort(channel))\(Self.echoPath)"
    }

    func echoPort(_ channel: any Channel) -> Int { channel.localAddress?.port ?? configuration.port }

    /// For this machine alone: it needs no key, because the gate gives a tool none.
    func echo(_ request: Request, _ context: APIContext) async throws -> Response {
        guard Self.isOfThisMachine(context.channel) else { throw APIError.notFound("not found") }
        let body = try await bytes(of: request, context, upTo: Self.echoBytesMax)
        let path = String(request.uri.path.dropFirst(Self.echoPath.count))
        let answer = JSONText.object { json in
            json.add("method", request.method.rawValue)
            json.add("path", path.isEmpty ? "/" : path)
            json.add("query", request.uri.query)
            json.add("user", request.headers[.endUserID])
            json.add(
                "body", (try? JSONValue(parsing: body))?.text ?? JSONText(string: String(decoding: body, as: UTF8.self))
            )
        }
        return APIAnswer(.ok, answer).response
    }

    private static func isOfThisMachine(_ channel: any Channel) -> Bool {
        guard let remote = channel.remoteAddress?.ipAddress else { return false }
        return remote == channel.localAddress?.ipAddress || remote == "::1" || remote.hasPrefix("127.")
    }
}
