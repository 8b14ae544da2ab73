import Domain
import Hummingbird
import HummingbirdCore

/// The moment whose answer a GET asks for with `?as_of=`.
enum AsOf: Hashable, Sendable {
    case position(Position)
    case time(Timestamp)

    static let parameter: Substring = "as_of"

    /// Reads a position or an RFC 3339 time.
    init(_ text: some StringProtocol) throws(APIError) {
        let text = String(text)
        if let value = UInt64(text) {
            self = .position(Position(value))
        } else if let time = Timestamp(rfc3339: text) {
            self = .time(time)
        } else {
            throw .badRequest("as_of must be a position, or an RFC 3339 time such as 2026-01-31T09:00:00Z")
        }
    }

    /// What the request asks for; `nil` when it asks for what is now. Given and empty, it is not that.
    static func asked(_ request: Request) throws(APIError) -> AsOf? {
        try request.uri.queryParameters[parameter].map { text throws(APIError) in try AsOf(text) }
    }
}

/// What a route makes of `as_of`.
enum AsOfSupport: Hashable, Sendable {
    /// Its answer comes from the log, so that it can be given for any position.
    case answered
    /// It tells of something else, or changes something.
    case refused
    /// Its query belongs to somebody else: a tool, an identity provider.
    case foreign
}
