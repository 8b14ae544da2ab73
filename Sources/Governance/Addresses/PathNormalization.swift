import Domain

/// The path of a URL: its normal form, and what else servers make of it.
enum PathNormalization {
    /// How often a path may be percent-encoded over itself.
    private static let encodingsMax = 4
    private static let slash = UInt8(ascii: "/")

    /// Escapes in their normal form and dot segments removed (RFC 3986, 5.2.4). No path is a slash.
    static func normalized(_ bytes: ArraySlice<UInt8>) throws(InvalidURL) -> [UInt8] {
        let segments = try PercentEncoding.normalized(bytes).split(separator: slash, omittingEmptySubsequences: false)
        var kept: [ArraySlice<UInt8>] = []
        // What is before the first slash is empty.
        for (index, segment) in segments.enumerated().dropFirst() {
            let isLast = index == segments.count - 1
            if isDots(segment, 2) {
                if !kept.isEmpty { kept.removeLast() }
                if isLast { kept.append([]) }
            } else if isDots(segment, 1) {
                if isLast { kept.append([]) }
            } else {
                kept.append(segment)
            }
        }
        return [slash] + kept.joined(separator: [slash])
    }

    /// Whether the path has `.` or `..` for a segment, escaped or not.
    static func hasDotSegments(_ path: Substring) -> Bool {
        PercentEncoding.decodedOnce(Array(path.utf8)).split(separator: slash).contains {
            isDots($0, 1) || isDots($0, 2)
        }
    }

    /// The path as it is after each decoding, simplified; the first is of the path itself.
    ///
    /// - Throws: `InvalidURL` when a decoding is no text: libraries put another path in its place.
    static func readings(_ path: [UInt8]) throws(InvalidURL) -> Readings<String> {
        var readings = Readings<String>()
        func add(_ bytes: ArraySlice<UInt8>, _ way: PathWay) { readings.add(simplified(bytes), way) }
        var (bytes, decodings) = (path, 0)
        while true {
            add(bytes[...], .decoded(decodings))
            if hasDotsWithParameters(bytes) {
                readings.add(simplified(bytes[...], keepsParameters: true), .withParameters(decodings))
            }
            if decodings == 0, let local = afterHost(path) { add(local, .afterHost) }
            // An escaped question mark, decoded, may be taken for the query's.
            if let end = bytes.firstIndex(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) {
                add(bytes[..<end], .beforeQuestionMark(decodings))
            }
            let decoded = PercentEncoding.decodedOnce(bytes)
            guard decoded != bytes else { return readings }
            guard !decoded.contains(0) else { throw InvalidURL("has an escaped NUL") }
            guard String(validating: decoded, as: UTF8.self) != nil else {
                throw InvalidURL("has a path whose escapes are no UTF-8: percent-encode UTF-8 text")
            }
            decodings += 1
            guard decodings <= encodingsMax else { throw InvalidURL("has a path that is percent-encoded too often") }
            bytes = decoded
        }
    }

    /// The path as read by a server that takes two slashes at its beginning for those before a host (RFC 3986, 4.2).
    private static func afterHost(_ path: [UInt8]) -> ArraySlice<UInt8>? {
        guard path.starts(with: [slash, slash]) else { return nil }
        return path[2...].drop { $0 != slash }
    }

    /// True when a segment is dots to a server that drops parameters, and a name to others: `..;x`.
    private static func hasDotsWithParameters(_ path: [UInt8]) -> Bool {
        guard path.contains(UInt8(ascii: ";")) else { return false }
        return path.split(whereSeparator: { $0 == slash || $0 == UInt8(ascii: "\\") }).contains { segment in
            let name = segment.prefix { $0 != UInt8(ascii: ";") }
            return name.count < segment.count && (isDots(name, 1) || isDots(name, 2))
        }
    }

    /// Lower case, backslashes as slashes, no parameters (`;…`) unless they are kept, no dots or blanks at the end of
    /// segments, no empty segments, dot segments removed.
    private static func simplified(_ path: ArraySlice<UInt8>, keepsParameters: Bool = false) -> String {
        var kept: [ArraySlice<UInt8>] = []
        let plain = path.map { $0 == UInt8(ascii: "\\") ? slash : $0.lowered }
        for segment in plain.split(separator: slash) {
            let name = keepsParameters ? segment : segment.prefix { $0 != UInt8(ascii: ";") }
            if isDots(name, 2) {
                if !kept.isEmpty { kept.removeLast() }
                continue
            }
            let end = name.lastIndex { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: " ") }
            if let end { kept.append(name[...end]) }
        }
        return String(decoding: [slash] + kept.joined(separator: [slash]), as: UTF8.self)
    }

    private static func isDots(_ segment: ArraySlice<UInt8>, _ count: Int) -> Bool {
        segment.count == count && segment.allSatisfy { $0 == UInt8(ascii: ".") }
    }
}
