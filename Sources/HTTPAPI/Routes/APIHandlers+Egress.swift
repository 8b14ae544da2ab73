import Domain
import Gateways
import HTTPTypes
import Hummingbird
import NIOCore

/// The gate that agents call tools through: `/as/<token>/egress/<tool>/…`.
extension APIHandlers {
    static let egressMethods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]

    func egress(_ request: Request, _ context: APIContext) async throws -> Response {
        let principal = try permitted(context, .actAsAgent)
        let body = try await bytes(of: request, context, upTo: configuration.egressBodyBytesMax)
        guard let path = EgressPath(request.uri.path), let tool = path.tool.percentDecoded else {
            throw APIError.notFound("not found: call a tool at …/egress/<tool>/<path>")
        }
        let asked = EgressRequest(
            workspace: principal.workspace, agent: principal.agent, acting: principal.actingAgent,
            actor: principal.actor, tool: tool, address: configuration.basePath + path.address,
            method: request.method.rawValue, path: path.remainder, query: request.uri.query,
            headers: request.headers.map { ($0.name.canonicalName, $0.value) }, body: body,
            traceparent: request.headers.shortTraceparent, caller: context.caller ?? CallerPresence())
        let registration = endingWithAccess(of: principal, context)
        return Self.response(try await dependencies.egress.answer(asked), isHead: request.method == .head)
            .holding(registration)
    }

    /// Closes the request's connection when the principal's access ends.
    func endingWithAccess(of principal: Principal, _ context: APIContext) -> AccessWatch.Registration {
        let channel = context.channel
        return dependencies.access.register(principal) { channel.close(promise: nil) }
    }

    /// The response that a gateway's answer is.
    ///
    /// - Parameter isHead: true when the answer is to HEAD, whose headers say what the body would be.
    static func response(_ answer: EgressAnswer, isHead: Bool = false) -> Response {
        var headers = HTTPFields()
        for header in answer.headers {
            guard let name = HTTPField.Name(header.name) else { continue }
            headers.append(HTTPField(name: name, value: header.value))
        }
        // Head and body of a whole response are written together, which a closure would prevent.
        if answer.isWhole || isHead { answer.onDelivery?() }
        let body: ResponseBody =
            switch answer.body {
            case .whole where isHead: ResponseBody { try await $0.finish(nil) }
            case .whole(let bytes): ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
            case .streamed(let stream):
                ResponseBody { writer in
                    answer.onDelivery?()
                    try await stream { try await writer.write($0) }
                    try await writer.finish(nil)
                }
            }
        return Response(status: HTTPResponse.Status(code: answer.status), headers: headers, body: body)
    }
}
