/// A path and all below it, by whole segments. `*` is any segment or, in one, any characters; at the end it is the rest.
package struct PathPattern: Hashable, Sendable {
    package let text: String
    private let segments: [Segment]
    /// The segments of each reading of the pattern, see `NormalizedURL`.
    private let readings: Readings<[Segment]>
    private let isEverything: Bool

    /// `nil` when a segment has two `*`, is `.` or `..`, or the path does not begin with a slash.
    package init?(_ text: String) {
        let path = text == "*" ? "/*" : text
        guard path.hasPrefix("/"), !PathNormalization.hasDotSegments(path[...]),
            let bytes = try? PathNormalization.normalized(Array(path.utf8)[...]),
            let readings = try? PathNormalization.readings(bytes),
            let segments = Self.segments(String(decoding: bytes, as: UTF8.self))
        else { return nil }
        self.text = text
        self.segments = segments
        self.readings = readings.compactMap(Self.segments)
        isEverything = path == "/*" || path == "/"
    }

    /// How many segments it names: of two that match, the one that names more is closer.
    var depth: Int { isEverything ? 0 : segments.count }

    /// Whether the path, by every reading of it, is the named one or lies below it; empty segments do not count.
    package func matches(_ place: ToolPath) -> Bool {
        guard !isEverything else { return true }
        return Self.matches(segments, place.path)
            && place.readings.agree(with: readings) { Self.matches($1, $0) }
    }

    /// Whether the path, by some reading of it, is the named one or lies below it.
    func mayMatch(_ place: ToolPath) -> Bool {
        isEverything || Self.matches(segments, place.path)
            || place.readings.mayAgree(with: readings) { Self.matches($1, $0) }
    }

    private static func matches(_ segments: [Segment], _ path: String) -> Bool {
        let given = path.split(separator: "/")
        return given.count >= segments.count && zip(segments, given).allSatisfy { $0.matches($1) }
    }

    private static func segments(_ path: String) -> [Segment]? {
        var segments: [Segment] = []
        for part in path.split(separator: "/") {
            let pieces = part.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
            guard pieces.count <= 2 else { return nil }
            segments.append(
                pieces.count == 1 ? .exactly(pieces[0]) : .between(prefix: pieces[0], suffix: pieces[1]))
        }
        return segments
    }

    private enum Segment: Hashable, Sendable {
        case exactly(String)
        case between(prefix: String, suffix: String)

        func matches(_ segment: Substring) -> Bool {
            switch self {
            case .exactly(let text): segment.utf8.elementsEqual(text.utf8)
            case .between(let prefix, let suffix):
                segment.utf8.count >= prefix.utf8.count + suffix.utf8.count
                    && segment.utf8.starts(with: prefix.utf8)
                    && segment.utf8.reversed().starts(with: suffix.utf8.reversed())
            }
        }
    }
}
