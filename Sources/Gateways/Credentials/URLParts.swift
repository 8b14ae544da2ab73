/// The parts of a URL as they are written: signing and forwarding may not change a byte of them.
struct URLParts {
    let scheme: String
    /// Host and port.
    let authority: String
    /// With its escapes; empty when the URL has none.
    let path: String
    /// Without the question mark; `nil` when there is none.
    let query: String?

    init(_ url: String) {
        let text = url.prefix { $0 != "#" }
        let head = text.prefix { $0 != "?" }
        query = head.endIndex == text.endIndex ? nil : String(text[text.index(after: head.endIndex)...])
        guard let separator = head.firstRange(of: "://") else {
            (scheme, authority, path) = ("", "", String(head))
            return
        }
        scheme = head[..<separator.lowerBound].lowercased()
        let rest = head[separator.upperBound...]
        let end = rest.firstIndex(of: "/") ?? rest.endIndex
        (authority, path) = (String(rest[..<end]), String(rest[end...]))
    }

    var beforeQuery: String { scheme.isEmpty ? path : "\(scheme)://\(authority)\(path)" }

    /// The value of `Host`: the port only when it is not the scheme's own.
    var host: String {
        let lowered = authority.lowercased()
        for (scheme, port) in [("http", ":80"), ("https", ":443")]
        where self.scheme == scheme && lowered.hasSuffix(port) {
            return String(lowered.dropLast(port.count))
        }
        return lowered
    }

    var queryPairs: [(name: String, value: String, text: String)] {
        (query ?? "").split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return (parts[0], parts.count > 1 ? parts[1] : "", String(pair))
        }
    }
}

/// RFC 3986: everything but the unreserved characters is escaped.
enum PercentEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    static func encode(_ text: String, keeping others: String = "") -> String {
        let kept = Set(("-._~" + others).utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            let isAlphanumeric =
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            if isAlphanumeric || kept.contains(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The text of a query's name or value; a malformed escape stands for itself.
    static func decode(_ text: String) -> String {
        let source = Array(text.utf8)
        var bytes: [UInt8] = []
        var index = 0
        while index < source.count {
            if source[index] == UInt8(ascii: "%"), index + 2 < source.count,
                let byte = UInt8(String(decoding: source[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
            {
                bytes.append(byte)
                index += 3
            } else {
                bytes.append(source[index] == UInt8(ascii: "+") ? UInt8(ascii: " ") : source[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
