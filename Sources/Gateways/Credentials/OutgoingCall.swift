import Domain

/// A call on its way to a tool or a model, before its credentials and with them.
package struct OutgoingCall: Sendable {
    package var method: String
    /// The URL as it was judged, with the parameters that credentials add to its query.
    package private(set) var url: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(method: String, url: String, headers: [(name: String, value: String)], body: [UInt8]) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    /// The request target that has to be on the request line: path and query of the URL, byte for byte.
    package var target: String {
        let parts = URLParts(url)
        return (parts.path.isEmpty ? "/" : parts.path) + (parts.query.map { "?" + $0 } ?? "")
    }

    /// The first header of that name, in whatever case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// Puts a header in the place of all of that name: an agent's own never goes beside it.
    mutating func setHeader(_ name: String, _ value: String) throws(CredentialError) {
        guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }), HeaderName.isValid(name) else {
            throw CredentialError(
                .malformed, "the credential or the header's name cannot stand in a header: set it again")
        }
        removeHeader(name)
        headers.append((name, value))
    }

    mutating func removeHeader(_ name: String) {
        headers.removeAll { $0.name.lowercased() == name.lowercased() }
    }

    /// Puts a parameter in the place of all of that name.
    mutating func setQueryParameter(_ name: String, _ value: String) {
        let parts = URLParts(url)
        let encoded = PercentEncoding.encode(name)
        var pairs = parts.queryPairs.filter { PercentEncoding.decodeForm($0.name) != name }.map(\.text)
        pairs.append("\(encoded)=\(PercentEncoding.encode(value))")
        url = parts.beforeQuery + "?" + pairs.joined(separator: "&")
    }
}

private enum HeaderName {
    private static let others = Array("!#$%&'*+-.^_`|~".utf8)

    /// A token of RFC 9110, section 5.6.2.
    static func isValid(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || others.contains(byte)
            }
    }
}
