import Governance
import HTTPTypes
import Hummingbird

/// Refuses requests that break a rule of HTTP, or ask of it what Sluice does not do, and answers `OPTIONS *`.
///
/// They are refused before anything else is read of them: what a proxy in front reads otherwise must have no effect here.
struct MessageRulesMiddleware: RouterMiddleware {
    typealias Context = APIContext

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        try Self.checkHost(request.head)
        try Self.checkTransferEncoding(request.headers)
        try Self.checkExpectation(request.headers)
        let isOfServer = request.head.path?.utf8.first != UInt8(ascii: "/")
        guard !isOfServer, request.method != .connect else { return try Self.answerForServer(request.method) }
        try Self.checkPrecondition(request)
        return try await next(request, context)
    }

    /// RFC 9112, section 3.2. The codec takes the first `Host` as the authority, and leaves any other in the fields.
    private static func checkHost(_ head: HTTPRequest) throws(APIError) {
        guard let host = head.authority else {
            throw .badRequest("the header Host is required: send the host and port of the URL")
        }
        guard !head.headerFields.contains(.furtherHost) else { throw .badRequest("the header Host must come once") }
        guard isHost(host) else {
            throw .badRequest("the header Host must be a host with or without a port, such as sluice.example:8092")
        }
    }

    /// The grammar of RFC 3986, section 3.2, without a user, and with a name that is not empty (RFC 9110, section 4.2.1).
    static func isHost(_ text: String) -> Bool {
        var rest = Substring(text)
        if text.utf8.first == UInt8(ascii: "[") {
            guard let end = text.firstIndex(of: "]"), case .v6? = IPAddress(String(text[..<end].dropFirst())) else {
                return false
            }
            rest = text[text.index(after: end)...]
        } else {
            let host = rest.utf8.prefix { $0 != UInt8(ascii: ":") }
            guard !host.isEmpty, host.allSatisfy(isOfName) else { return false }
            rest = rest[host.endIndex...]
        }
        guard rest.utf8.first == UInt8(ascii: ":") else { return rest.isEmpty }
        let digits = rest.utf8.dropFirst()
        return digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            && (digits.isEmpty || UInt16(Substring(digits)) != nil)
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~%!$&'()*+;=".utf8.contains(byte)
        }
    }

    /// RFC 9112, section 6.1: a body in a coding that is not known has no end that is known.
    private static func checkTransferEncoding(_ fields: HTTPFields) throws(APIError) {
        let codings = fields[values: .transferEncoding]
        guard codings.isEmpty || codings.count == 1 && codings[0].lowercased() == "chunked" else {
            throw .badRequest("the header Transfer-Encoding must be chunked: other codings are not known")
        }
    }

    /// RFC 9110, section 10.1.1.
    private static func checkExpectation(_ fields: HTTPFields) throws(APIError) {
        guard let text = fields[.expect] else { return }
        let members = text.lowercased().split { $0 == "," || $0 == " " || $0 == "\t" }
        guard members.allSatisfy({ $0 == "100-continue" }) else {
            throw APIError(
                .expectationFailed, .expectationFailed, "the header Expect may ask for 100-continue alone: leave it out"
            )
        }
    }

    /// RFC 9110, section 13.1.1: a resource without an entity tag matches none. Other preconditions are met by such a
    /// resource, or may be ignored. Those of a tool's call are the tool's.
    private static func checkPrecondition(_ request: Request) throws(APIError) {
        guard let text = request.headers[.ifMatch], text != "*", EgressPath(request.uri.path) == nil else { return }
        throw APIError(
            .preconditionFailed, .preconditionFailed,
            "nothing here has an entity tag, so If-Match matches nothing: leave it out")
    }

    /// The answer where the target is no path (RFC 9110, section 9.3.7): `*` stands for the whole server.
    private static func answerForServer(_ method: HTTPRequest.Method) throws(APIError) -> Response {
        switch method {
        case .options: return Response(status: .noContent, headers: [.allow: HTTPMethods.served])
        case .connect: throw HTTPMethods.notAllowed(method)
        default: throw .badRequest("the request's target must be a path, or an http or https URL")
        }
    }
}
