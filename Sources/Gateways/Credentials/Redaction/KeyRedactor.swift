import Synchronization

/// Redacts the key of an agent's address in what the agent sends, in every spelling that `Redactor` knows.
package struct KeyRedactor: Sendable {
    /// The text in the place of the key; it needs no escape in a URL, in JSON or in a header.
    package static let mark = "-agent-key-"

    /// Redactors by key: an agent sends many requests, and making one takes longer than searching most of these.
    private static let made = Mutex<[String: Redactor]>([:])
    private static let madeMax = 512

    package let key: String
    private let redactor: Redactor

    package init(_ key: String) {
        self.key = key
        redactor = Self.made.withLock { made in
            if let redactor = made[key] { return redactor }
            if made.count >= Self.madeMax { made.removeAll() }
            let redactor = Redactor([key], mask: Self.mark)
            made[key] = redactor
            return redactor
        }
    }

    /// True when the key is in the text.
    package func finds(in text: String) -> Bool { redactor.finds(in: text) }

    /// The text without the key; `nil` when it is not in it.
    package func redacted(_ text: String) -> String? { redactor.finds(in: text) ? redactor.redact(text) : nil }

    /// The bytes without the key; `nil` when it is not in them.
    package func redacted(_ bytes: [UInt8]) -> [UInt8]? { redactor.finds(in: bytes) ? redactor.redact(bytes) : nil }
}
