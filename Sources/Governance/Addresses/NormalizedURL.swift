import Domain

/// An http or https URL in the one form that rules are held against and that a gateway forwards (RFC 3986, 6.2.2).
///
/// Lower-case scheme and host without a trailing dot, numeric IPv4 spellings as dotted quads, IPv6 as RFC 5952 writes it,
/// the default port left out, unreserved characters decoded, other escapes upper-case, dot segments removed, no
/// fragment. What two servers could read in two ways beyond this is in `readings`. Forward `text`, never the spelling
/// that came in: then what was judged is what is called.
package struct NormalizedURL: Hashable, Sendable, CustomStringConvertible {
    package static let bytesMax = 8_192

    package let scheme: Scheme
    package let host: String
    package let port: UInt16
    /// Begins with a slash.
    package let path: String
    package let query: String?
    /// True when the text wrote its host with a dot at the end: to the domain name system a name without search domains,
    /// and possibly another host.
    package let hasFinalDot: Bool
    /// Whether the text had a path, though it be a slash alone.
    let hasPath: Bool
    /// How servers that decode twice, merge slashes, take `\` for `/`, drop `;…`, take what follows two slashes for a host
    /// or look away from case read the path.
    let readings: Readings<String>

    package enum Scheme: String, Hashable, Sendable {
        case http, https

        package var defaultPort: UInt16 {
            switch self {
            case .http: 80
            case .https: 443
            }
        }
    }

    /// Reads a URL; what cannot be read in one way alone is refused: user names, escaped hosts, NUL, broken
    /// escapes, and in the path backslashes and escapes that are no UTF-8.
    package init(_ text: String) throws(InvalidURL) {
        if let plain = Self(plain: text) { self = plain } else { try self.init(inFull: text) }
    }

    /// As `init(_:)`, and without the short way for URLs in which there is nothing to normalise.
    package init(inFull text: String) throws(InvalidURL) {
        var bytes = Array(text.utf8)
        guard bytes.count <= Self.bytesMax else { throw InvalidURL("is longer than \(Self.bytesMax) bytes") }
        guard bytes.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw InvalidURL("has a space or control character")
        }
        if let fragment = bytes.firstIndex(of: UInt8(ascii: "#")) { bytes.removeSubrange(fragment...) }
        (scheme, bytes) = try Self.scheme(bytes)
        let authorityEnd = bytes.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? bytes.count
        (host, port) = try URLAuthority.parse(bytes[..<authorityEnd], defaultPort: scheme.defaultPort)
        hasFinalDot = bytes[..<authorityEnd].prefix { $0 != UInt8(ascii: ":") }.last == UInt8(ascii: ".")
        let rest = bytes[authorityEnd...]
        let queryStart = rest.firstIndex(of: UInt8(ascii: "?"))
        let rawPath = rest[..<(queryStart ?? rest.endIndex)]
        // The URL Standard reads it as a slash, RFC 3986 not at all.
        guard !rawPath.contains(UInt8(ascii: "\\")) else {
            throw InvalidURL("has a backslash in its path: write / or %5C")
        }
        hasPath = !rawPath.isEmpty
        let normalized = try PathNormalization.normalized(rawPath)
        path = String(decoding: normalized, as: UTF8.self)
        readings = try PathNormalization.readings(normalized)
        query = try queryStart.map { start throws(InvalidURL) in
            String(decoding: try PercentEncoding.normalized(rest[(start + 1)...]), as: UTF8.self)
        }
    }

    init(scheme: Scheme, host: String, port: UInt16, path: String, hasPath: Bool, reading: String) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
        self.hasPath = hasPath
        hasFinalDot = false
        query = nil
        readings = Readings(reading)
    }

    /// The origin: scheme, host, and the port where it is not the scheme's own.
    package var origin: String {
        // Put together without interpolation: every call of a tool needs it more than once.
        let origin = scheme.rawValue + "://" + host
        return port == scheme.defaultPort ? origin : origin + ":" + String(port)
    }

    package var text: String { origin + path + (query.map { "?" + $0 } ?? "") }

    package var description: String { text }

    /// Whether both name the same server, however each writes it.
    func hasOrigin(of other: NormalizedURL) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }

    /// As `hasOrigin`, taking http and https on their own ports for one server.
    func mayHaveOrigin(of other: NormalizedURL) -> Bool {
        host == other.host
            && (port == other.port || port == scheme.defaultPort && other.port == other.scheme.defaultPort)
    }

    private static func scheme(_ bytes: [UInt8]) throws(InvalidURL) -> (Scheme, [UInt8]) {
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
            let scheme = Scheme(rawValue: String(decoding: bytes[..<colon], as: UTF8.self).lowercased()),
            bytes[(colon + 1)...].starts(with: "//".utf8)
        else { throw InvalidURL("must begin with http:// or https://") }
        return (scheme, Array(bytes[(colon + 3)...]))
    }
}

/// Why a text is no URL that can be judged; reads on after the name of what was given.
package struct InvalidURL: Error, Hashable, Sendable {
    package let reason: String

    init(_ reason: String) { self.reason = reason }
}
