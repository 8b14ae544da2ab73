package import Domain

/// The time of `Retry-After` (RFC 9110, section 10.2.3), at which a service takes the next attempt. Pure.
package enum RetryAfter {
    /// A service that asks for more waits no longer than this.
    package static let pauseMax = Duration.seconds(3600)

    /// The pause that the field asks for, from `now` on; `nil` for a text that is neither seconds nor a date.
    package static func pause(_ text: String, at now: Timestamp) -> Duration? {
        let text = text.trimmingBlanks
        let asked: Duration
        if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            asked = Int64(text).map { Duration.seconds(min($0, pauseMax.components.seconds)) } ?? pauseMax
        } else if let time = time(text) {
            asked = time.since(now)
        } else {
            return nil
        }
        return min(max(asked, .zero), pauseMax)
    }

    /// One of the three forms of an HTTP date (RFC 9110, section 5.6.7).
    private static func time(_ text: String) -> Timestamp? {
        var parts = text.split { " ,-".contains($0) }.map(String.init)
        // Only `asctime` has the year at the end and the month before the day.
        if parts.count == 5, parts[3].contains(":") {
            parts = [parts[0], parts[2], parts[1], parts[4], parts[3], "GMT"]
        }
        guard parts.count == 6, parts[5].uppercased() == "GMT",
            let month = months.firstIndex(of: parts[2].lowercased()), let year = year(parts[3])
        else { return nil }
        let day = parts[1].utf8.count == 1 ? "0" + parts[1] : parts[1]
        let number = month + 1
        return Timestamp(rfc3339: "\(year)-\(number < 10 ? "0" : "")\(number)-\(day)T\(parts[4])Z")
    }

    /// A year of two digits is of this century: the form that has it is older than any service.
    private static func year(_ text: String) -> String? {
        switch text.utf8.count {
        case 4: text
        case 2: "20" + text
        default: nil
        }
    }

    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
}
