/// A host and port that packages come from.
package struct PackageHost: Hashable, Sendable, CustomStringConvertible {
    private static let nameBytesMax = 253

    /// In lower case; an IPv6 address without its brackets.
    package let name: String
    package let port: UInt16

    package init(name: String, port: UInt16) {
        self.name = name.lowercased()
        self.port = port
    }

    /// The host of `HOST`, `HOST:PORT` or `[ADDRESS]:PORT`; `nil` for anything else.
    ///
    /// - Parameter port: the port when the text has none.
    package init?(authority: some StringProtocol, port defaultPort: UInt16?) {
        var (name, rest) = (authority[...], authority[...].suffix(0))
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            name = authority[authority.index(after: authority.startIndex)..<end]
            rest = authority[authority.index(after: end)...]
        } else if let colon = authority.firstIndex(of: ":") {
            name = authority[..<colon]
            rest = authority[colon...]
        }
        guard !name.isEmpty, name.utf8.count <= Self.nameBytesMax,
            name.utf8.allSatisfy({ Self.isNameByte($0, isAddress: authority.hasPrefix("[")) })
        else { return nil }
        if rest.isEmpty, let defaultPort {
            self.init(name: String(name), port: defaultPort)
        } else if rest.hasPrefix(":"), let port = UInt16(rest.dropFirst()), port > 0,
            rest.utf8.dropFirst().allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") })
        {
            self.init(name: String(name), port: port)
        } else {
            return nil
        }
    }

    /// The host of an `http` or `https` URL; `nil` for anything else.
    package init?(url: some StringProtocol) {
        let port: UInt16
        let rest: Substring
        if url.hasPrefix("https://") {
            (port, rest) = (443, Substring(url.dropFirst(8)))
        } else if url.hasPrefix("http://") {
            (port, rest) = (80, Substring(url.dropFirst(7)))
        } else {
            return nil
        }
        let authority = rest.prefix { !"/?#\\".contains($0) }
        // Credentials stand before the last @.
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        self.init(authority: host, port: port)
    }

    package var description: String { (name.contains(":") ? "[\(name)]" : name) + ":\(port)" }

    private static func isNameByte(_ byte: UInt8, isAddress: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        case UInt8(ascii: ":"): isAddress
        default: false
        }
    }
}
