import Domain
import EventStreaming
import HTTPTypes
import Hummingbird
import NIOCore

/// What is served, for programs and for people.
extension APIHandlers {
    func openAPI() -> APIAnswer { APIAnswer(.ok, reference) }

    func asyncAPI() -> APIAnswer { APIAnswer(.ok, APIReference.messages(under: configuration.basePath)) }

    func referencePage() -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "text/html; charset=utf-8", .contentSecurityPolicy: APIReference.contentSecurityPolicy,
                .xContentTypeOptions: "nosniff",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: APIReference.page)))
    }
}

/// A route as it is served, and what it asks of a role.
struct ServedRoute: Hashable, Sendable {
    let method: HTTPRequest.Method
    /// With parameters as `{name}`.
    let path: String
    /// `nil` where no key is needed.
    let permission: Permission?
    /// The query parameters that it reads, without `as_of`.
    let query: [String]
    /// Whether it answers `as_of`; `nil` where that is not asked of it.
    let answersAsOf: Bool?

    var json: JSONText {
        .object { json in
            json.add("method", method.rawValue)
            json.add("path", path)
            json.add("permission", permission?.rawValue ?? "none")
            json.add("query", query)
            json.add("as_of", answersAsOf)
        }
    }
}
