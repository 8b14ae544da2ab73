/// The short way for URLs that are in their normal form already, and that every server reads alike: most of them.
extension NormalizedURL {
    /// The URL as `init(inFull:)` makes it; `nil` when it takes that to know.
    init?(plain text: String) {
        var text = text
        let parts = text.withUTF8 { PlainURL($0) }
        guard let parts else { return nil }
        let utf8 = text.utf8
        func string(_ range: Range<Int>) -> String {
            let start = utf8.index(utf8.startIndex, offsetBy: range.lowerBound)
            return String(text[start..<utf8.index(start, offsetBy: range.count)])
        }
        let path = parts.path.isEmpty ? "/" : string(parts.path)
        // The reading has no slash at its end.
        let shown = path.utf8.count > 1 && path.utf8.last == UInt8(ascii: "/") ? String(path.dropLast()) : path
        self.init(
            scheme: parts.scheme, host: string(parts.host), port: parts.port ?? parts.scheme.defaultPort, path: path,
            hasPath: !parts.path.isEmpty, reading: parts.hasCapitals ? shown.lowercased() : shown)
    }
}

/// The places of the parts of a plain URL: no capitals before the path, no number for a host but an IPv4 address in
/// its usual form, no query, no escapes, and no segment that is empty, has parameters or ends with a dot.
private struct PlainURL {
    let scheme: NormalizedURL.Scheme
    let host: Range<Int>
    var port: UInt16?
    let path: Range<Int>
    var hasCapitals = false

    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count <= NormalizedURL.bytesMax else { return nil }
        if bytes.starts(with: "https://".utf8) {
            scheme = .https
        } else if bytes.starts(with: "http://".utf8) {
            scheme = .http
        } else {
            return nil
        }
        var index = scheme == .https ? 8 : 7
        let hostStart = index
        var labelStart = index
        while index < bytes.count, bytes[index] != UInt8(ascii: "/"), bytes[index] != UInt8(ascii: ":") {
            if bytes[index] == UInt8(ascii: ".") {
                guard (1...63).contains(index - labelStart) else { return nil }
                labelStart = index + 1
            } else {
                guard Self.isOfHost(bytes[index]) else { return nil }
            }
            index += 1
        }
        host = hostStart..<index
        guard (1...63).contains(index - labelStart) else { return nil }
        // A host whose last label begins with a digit may be a number.
        guard !bytes[labelStart].isDigit || Self.isDottedQuad(bytes[host]) else { return nil }
        if index < bytes.count, bytes[index] == UInt8(ascii: ":") {
            var number = 0
            let start = index + 1
            index = start
            while index < bytes.count, bytes[index].isDigit, index - start < 5 {
                number = number * 10 + Int(bytes[index] - UInt8(ascii: "0"))
                index += 1
            }
            guard index > start, (1...65_535).contains(number) else { return nil }
            port = UInt16(number)
        }
        guard index == bytes.count || bytes[index] == UInt8(ascii: "/") else { return nil }
        path = index..<bytes.count
        var last = UInt8(ascii: "x")
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "/") {
                guard last != byte, last != UInt8(ascii: ".") else { return nil }
            } else {
                guard Self.isOfPath(byte) else { return nil }
                if (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) { hasCapitals = true }
            }
            last = byte
            index += 1
        }
        guard last != UInt8(ascii: ".") else { return nil }
    }

    /// True for four numbers up to 255 without leading zeros.
    private static func isDottedQuad(_ host: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        var (numbers, number, digits) = (1, 0, 0)
        for byte in host {
            if byte == UInt8(ascii: ".") {
                (numbers, number, digits) = (numbers + 1, 0, 0)
            } else {
                guard byte.isDigit, digits == 0 || number > 0 else { return false }
                (number, digits) = (number * 10 + Int(byte - UInt8(ascii: "0")), digits + 1)
                guard number <= 255 else { return false }
            }
        }
        return numbers == 4
    }

    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// What may stand in a path as it is, but for the semicolon of parameters.
    private static func isOfPath(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"), UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "!"), UInt8(ascii: "$"),
            UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"),
            UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: "="):
            true
        default: false
        }
    }
}
