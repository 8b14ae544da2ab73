import Domain

/// Shows an event in one line of a terminal. What clients and agents have written can do nothing there but be read.
struct EventLine: Sendable {
    private enum Colour: String {
        case red = "\u{1b}[31m"
        case alarm = "\u{1b}[1;31m"
        case green = "\u{1b}[32m"
        case yellow = "\u{1b}[33m"
        case faint = "\u{1b}[2m"
    }

    private static let reset = "\u{1b}[0m"
    private static let valueCharactersMax = 80
    private static let membersMax = 8
    private static let typeWidth = 26
    /// Long, and of use to programs alone.
    private static let hidden: Set = ["document", "data", "log", "response"]

    let isColoured: Bool

    /// - Parameter document: the event as the stream has it.
    func text(_ document: String) -> String {
        let event: JSONValue
        do throws(JSONError) { event = try JSONValue(parsing: Array(document.utf8)) } catch {
            return Self.plain(document)
        }
        let type = Self.plain(event["type"]?.string ?? "-")
        let padding = String(repeating: " ", count: max(0, Self.typeWidth - type.count))
        var parts = [
            paint(Self.time(event["time"]?.string ?? ""), .faint), paint("#" + Self.text(event["position"]), .faint),
            paint(type, Self.colour(type, event["data"])) + padding,
        ]
        if let run = event["run_id"]?.string { parts.append("run=" + Self.plain(run)) }
        if let actor = event["actor"]?["name"]?.string { parts.append("by=" + Self.value(actor)) }
        if case .object(let members)? = event["data"] {
            parts += members.compactMap(Self.shown).prefix(Self.membersMax)
        }
        return parts.joined(separator: " ")
    }

    private func paint(_ text: String, _ colour: Colour?) -> String {
        guard isColoured, let colour else { return text }
        return colour.rawValue + text + Self.reset
    }

    private static func colour(_ type: String, _ data: JSONValue?) -> Colour? {
        if type.hasPrefix("security.") || type == "tool_call.refused" { return .alarm }
        let words = type.split(separator: ".").last.map(String.init) ?? ""
        let status = data?["status"]?.string ?? ""
        if status == "FAILED" || ["failed", "refused", "rejected", "expired", "interrupted"].contains(words) {
            return .red
        }
        if status.hasPrefix("PAUSED") || ["blocked", "requested", "revoked"].contains(words) { return .yellow }
        if status == "COMPLETED" || ["approved", "executed", "completed", "succeeded"].contains(words) {
            return .green
        }
        return nil
    }

    /// `12:30:00.123` of an RFC 3339 time.
    private static func time(_ text: String) -> String {
        guard let start = text.firstIndex(of: "T") else { return plain(text) }
        return plain(String(text[text.index(after: start)...].prefix(12)))
    }

    private static func shown(_ member: JSONValue.Member) -> String? {
        guard !hidden.contains(member.name) else { return nil }
        switch member.value {
        case .string(let text): return text.isEmpty ? nil : "\(member.name)=\(value(text))"
        case .number, .bool: return "\(member.name)=\(text(member.value))"
        case .null, .array, .object: return nil
        }
    }

    private static func value(_ text: String) -> String {
        let short = text.count > valueCharactersMax ? text.prefix(valueCharactersMax) + "…" : Substring(text)
        let shown = plain(String(short))
        return shown.contains(" ") ? "\"\(shown)\"" : shown
    }

    private static func text(_ value: JSONValue?) -> String { value.map { plain($0.text.text) } ?? "-" }

    private static func plain(_ text: String) -> String { TerminalText.plain(text) }
}
