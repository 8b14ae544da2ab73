/// Text of clients and agents, made safe for a terminal.
enum TerminalText {
    /// The text on one line, with a replacement character for each one that a terminal would obey.
    static func plain(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { isObeyed($0) ? "\u{fffd}" : $0 }))
    }

    /// The lines of the text, with the names of characters that a terminal would obey, such as `[U+202E]`.
    static func lines(_ text: String) -> [String] {
        text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.reduce(into: "") { shown, scalar in
                if isObeyed(scalar), scalar != "\t" {
                    shown += "[U+\(String(scalar.value, radix: 16, uppercase: true))]"
                } else {
                    shown.unicodeScalars.append(scalar)
                }
            }
        }
    }

    /// True for controls, and for characters that cannot be seen or change the direction of text.
    private static func isObeyed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
