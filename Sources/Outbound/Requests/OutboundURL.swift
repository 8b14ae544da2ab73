import Governance

/// A URL that a request can be sent to: where the connection leads, and the request target exactly as it is sent.
package struct OutboundURL: Hashable, Sendable {
    /// The scheme, host and port, or the path of a socket, as the connection is made.
    let origin: String
    /// The path and query: the second word of the request line (RFC 9112, section 3.2.1).
    package let target: String
    /// The host as `NormalizedURL` writes it; `nil` for a Unix socket.
    package let host: String?

    private static let socketScheme = "http+unix://"

    /// Reads an http or https URL, or one of a Unix socket (`http+unix://` and the socket's path, percent-encoded).
    ///
    /// No byte of the path and query is changed; a fragment is left out.
    ///
    /// - Throws: `OutboundError.invalidRequest` when the URL has no such form, or bytes that no request line may have.
    package init(_ text: String) throws(OutboundError) {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), text.utf8[colon...].starts(with: "://".utf8)
        else { throw .invalidRequest("the URL must begin with http:// or https://") }
        let rest = text.utf8[colon...].dropFirst(3)
        let end = rest.firstIndex(where: Self.endsAuthority) ?? rest.endIndex
        let authority = text[..<end]
        if text.utf8.starts(with: Self.socketScheme.utf8) {
            (origin, host) = (String(authority), nil)
        } else {
            do throws(InvalidURL) {
                let url = try NormalizedURL(String(authority))
                (origin, host) = (url.origin, url.host)
            } catch {
                throw .invalidRequest("the URL \(error.reason)")
            }
        }
        let written = Substring(text.utf8[end...].prefix { $0 != UInt8(ascii: "#") })
        guard written.utf8.allSatisfy(Self.mayStandInTarget) else {
            throw .invalidRequest("the URL's path and query must have printable ASCII characters only; escape others")
        }
        target = written.utf8.first == UInt8(ascii: "/") ? String(written) : "/" + written
    }

    /// The URL with everything escaped that no request line may have, for texts that people write.
    package static func escaping(_ text: String) -> String {
        guard !text.utf8.allSatisfy(mayStandInTarget) else { return text }
        let hex = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            if mayStandInTarget(byte) {
                result.append(byte)
            } else {
                result += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func endsAuthority(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "\\"): true
        default: false
        }
    }

    /// Visible ASCII (RFC 9112, section 3.2: a target has no whitespace).
    private static func mayStandInTarget(_ byte: UInt8) -> Bool { (0x21...0x7e).contains(byte) }
}
