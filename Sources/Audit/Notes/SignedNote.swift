import Foundation

/// A text with the signatures under it (C2SP signed-note).
package struct SignedNote: Hashable, Sendable {
    package struct Signature: Hashable, Sendable {
        package let name: String
        let keyID: [UInt8]
        let bytes: [UInt8]

        /// `— name base64`, and the end of the line.
        var line: String { "\u{2014} \(name) \(Data(keyID + bytes).base64EncodedString())\n" }

        init(name: String, keyID: [UInt8], bytes: [UInt8]) {
            self.name = name
            self.keyID = keyID
            self.bytes = bytes
        }

        init?(line: some StringProtocol) {
            let parts = line.split(separator: " ", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0] == "\u{2014}", NoteVerifier.isName(parts[1]),
                let bytes = Data(base64Encoded: String(parts[2])), bytes.count > 4
            else { return nil }
            self.init(name: String(parts[1]), keyID: Array(bytes.prefix(4)), bytes: Array(bytes.dropFirst(4)))
        }
    }

    private static let signaturesMax = 100

    /// Ends with a line feed.
    package let text: String
    package private(set) var signatures: [Signature]

    init(text: String, signatures: [Signature]) {
        self.text = text
        self.signatures = signatures
    }

    /// Reads a note; `nil` when it is none.
    package init?(_ note: String) {
        guard let gap = note.range(of: "\n\n", options: .backwards), note.hasSuffix("\n"),
            !note.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\n" })
        else { return nil }
        let lines = note[gap.upperBound...].split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        let signatures = lines.compactMap { Signature(line: $0) }
        guard !lines.isEmpty, signatures.count == lines.count, lines.count <= Self.signaturesMax else { return nil }
        self.init(text: note[..<gap.lowerBound] + "\n", signatures: signatures)
    }

    /// The text, an empty line, and a line a signature.
    package var note: String { text + "\n" + signatures.map(\.line).joined() }

    mutating func add(_ signature: Signature) {
        signatures.removeAll { $0.name == signature.name && $0.keyID == signature.keyID }
        signatures.append(signature)
    }
}
