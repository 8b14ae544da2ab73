import Domain

/// The host and port of a URL, in one spelling.
enum URLAuthority {
    static func parse(
        _ bytes: ArraySlice<UInt8>, defaultPort: UInt16
    ) throws(InvalidURL) -> (host: String, port: UInt16) {
        guard !bytes.contains(UInt8(ascii: "@")) else { throw InvalidURL("must not carry a user name or password") }
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")),
                let address = IPAddress(String(decoding: bytes[(bytes.startIndex + 1)..<end], as: UTF8.self)),
                case .v6 = address
            else { throw InvalidURL("has a host in brackets that is no IPv6 address") }
            let rest = bytes[(end + 1)...]
            guard rest.isEmpty || rest.first == UInt8(ascii: ":") else { throw InvalidURL("has no valid port") }
            return ("[\(address)]", try port(rest.dropFirst(), defaultPort))
        }
        let colon = bytes.firstIndex(of: UInt8(ascii: ":"))
        return (
            try host(bytes[..<(colon ?? bytes.endIndex)]),
            try port(colon.map { bytes[($0 + 1)...] } ?? [], defaultPort)
        )
    }

    private static func port(_ digits: ArraySlice<UInt8>, _ defaultPort: UInt16) throws(InvalidURL) -> UInt16 {
        guard !digits.isEmpty else { return defaultPort }
        guard digits.allSatisfy(\.isDigit), let port = UInt16(String(decoding: digits, as: UTF8.self)), port > 0 else {
            throw InvalidURL("must have a port from 1 to 65535, or none")
        }
        return port
    }

    private static func host(_ bytes: ArraySlice<UInt8>) throws(InvalidURL) -> String {
        let name = bytes.last == UInt8(ascii: ".") ? bytes.dropLast() : bytes
        guard !name.isEmpty else { throw InvalidURL("has no host") }
        let isPlain = name.allSatisfy {
            $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_")
        }
        guard isPlain else {
            throw InvalidURL("has a host with other characters than a-z, 0-9, - and .; write it in its ASCII form")
        }
        let text = String(decoding: name, as: UTF8.self).lowercased()
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.allSatisfy({ (1...63).contains($0.utf8.count) }) else {
            throw InvalidURL("has a host with an empty or too long part")
        }
        guard let last = labels.last, isNumber(last) else { return text }
        guard let address = IPAddress(numericHost: labels) else {
            throw InvalidURL("has a host that looks like an IPv4 address and is none")
        }
        return address.description
    }

    /// Whether a host that ends so is taken for an IPv4 address (WHATWG URL, "ends in a number").
    private static func isNumber(_ label: Substring) -> Bool {
        label.utf8.allSatisfy(\.isDigit) || label.hasPrefix("0x") && label.utf8.dropFirst(2).allSatisfy(\.isHexDigit)
    }
}

extension UInt8 {
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }

    var isHexDigit: Bool { PercentEncoding.hexDigit(self) != nil }

    /// The letter in lower case; other bytes as they are.
    var lowered: UInt8 { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self }
}
