import Domain
import HTTPTypes
import Hummingbird
import NIOCore

extension APIHandlers {
    /// The response of a read. A large body counts to the principal's share of bytes in responses until the client has
    /// taken it, and is written in parts.
    func response(_ answer: APIAnswer, to request: APIRequest) throws(APIError) -> Response {
        let byteCount = answer.body.text.utf8.count
        guard byteCount > ResponseChunks.bytesMax else { return answer.response }
        let permit: SharePool<Actor.Kind>.Permit
        do throws(ShareRefusal) {
            // One response alone fits, however large it is.
            permit = try responseBytes.take(
                min(byteCount, max(configuration.responseBytesMax / 2, 1)), for: request.principal.caller)
        } catch {
            throw APIError(error, of: "bytes in responses", code: .tooManyRequests)
        }
        var headers = answer.headers
        headers[.contentType] = "application/json"
        let (text, channel) = (answer.body.text, request.channel)
        return Response(
            status: answer.status, headers: headers,
            body: ResponseBody(contentLength: byteCount) { writer in
                defer { withExtendedLifetime(permit) {} }
                let stream = StreamWriter(writer, channel)
                for part in ResponseChunks.split(text) { try await stream.write(part) }
                try await writer.finish(nil)
            })
    }
}
