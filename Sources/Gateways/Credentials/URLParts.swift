import Domain

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

extension PercentEncoding {
    /// The text of a query's name or value; a malformed escape stands for itself.
    static func decodeForm(_ text: String) -> String {
        let spaced = text.utf8.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }
        return String(decoding: decodedOnce(spaced), as: UTF8.self)
    }
}
