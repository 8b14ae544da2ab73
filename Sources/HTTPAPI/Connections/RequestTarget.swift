/// The forms of a request's target (RFC 9112, section 3.2).
enum RequestTarget: Equatable {
    /// A path, with or without a query.
    case origin
    /// An `http` or `https` URL, as clients of proxies send it: its authority, and the same target in origin form.
    case absolute(authority: String, origin: String)
    /// `*`, the whole server.
    case asterisk
    /// Anything else: a host and port, or a URL of another scheme.
    case other

    init(_ target: String) {
        if target.utf8.first == UInt8(ascii: "/") {
            self = .origin
        } else if target == "*" {
            self = .asterisk
        } else if let rest = Self.afterScheme(target) {
            let authority = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
            let path = String(decoding: rest[authority.endIndex...], as: UTF8.self)
            self = .absolute(
                authority: String(decoding: authority, as: UTF8.self), origin: path.hasPrefix("/") ? path : "/" + path)
        } else {
            self = .other
        }
    }

    private static func afterScheme(_ target: String) -> Substring.UTF8View? {
        for scheme in ["http://", "https://"] where target.prefix(scheme.count).lowercased() == scheme {
            return target.dropFirst(scheme.count).utf8
        }
        return nil
    }
}
