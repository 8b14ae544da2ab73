/// Redacts secrets in what a peer answers: some quote the credential that they were sent.
///
/// A secret is found as it is, percent-encoded, escaped in JSON or HTML, in hexadecimal, base64 and base32, also as a
/// part of a longer encoded text.
package struct Redactor: Sendable {
    /// Shorter secrets are not redacted: they would hide words that are none.
    package static let secretBytesMin = 4
    package static let mask = "REDACTED"
    static let none = Redactor([])

    private let patterns: [RedactionPattern]
    /// The bytes in the place of each secret.
    private let mask: [UInt8]
    /// The patterns that each byte may be the beginning of, by their index.
    private let patternsByStart: [[Int]]
    /// True for each two bytes that a pattern may begin with.
    private let isStart: [Bool]
    /// Maximum bytes of a secret in any spelling.
    let spelledBytesMax: Int
    /// True when a secret itself has several lines.
    let hasLines: Bool

    /// - Parameters:
    ///   - secrets: The texts to find; those that are too short are left out.
    ///   - mask: The text in the place of each.
    package init(_ secrets: some Sequence<String>, mask: String = Self.mask) {
        self.mask = Array(mask.utf8)
        let known = Set(secrets.map { Array($0.utf8) }.filter { $0.count >= Self.secretBytesMin })
        patterns = known.flatMap { RedactionPattern.patterns(of: $0) }
        hasLines = known.contains { $0.contains(where: \.isLineEnd) }
        spelledBytesMax = patterns.map(\.spelledBytesMax).max() ?? 0
        var byStart = [[Int]](repeating: [], count: patterns.isEmpty ? 0 : 256)
        var isStart = [Bool](repeating: false, count: patterns.isEmpty ? 0 : 65_536)
        for (index, pattern) in patterns.enumerated() {
            let seconds = pattern.secondBytes
            for first in pattern.plainBytes(at: 0) {
                byStart[Int(first)].append(index)
                for second in seconds { isStart[Int(first) << 8 | Int(second)] = true }
            }
        }
        if !patterns.isEmpty {
            for first in SpelledText.introducers {
                for second in 0..<256 { isStart[Int(first) << 8 | second] = true }
            }
        }
        patternsByStart = byStart
        self.isStart = isStart
    }

    /// The redactor for the answer to a call.
    ///
    /// - Parameters:
    ///   - bare: the call before its credentials.
    ///   - sent: the same call with them.
    init(_ injector: any CredentialInjector, bare: OutgoingCall, sent: OutgoingCall) {
        var secrets = injector.secrets
        let authorization = sent.header("authorization")
        if let authorization, authorization != bare.header("authorization"), !authorization.hasPrefix("AWS4-") {
            secrets += Self.parts(ofAuthorization: authorization)
        }
        self.init(secrets)
    }

    var isEmpty: Bool { patterns.isEmpty }

    /// The text with each secret replaced.
    package func redact(_ text: String) -> String {
        guard !isEmpty else { return text }
        let bytes = Array(text.utf8)
        let redacted = redact(bytes)
        return redacted == bytes ? text : String(decoding: redacted, as: UTF8.self)
    }

    /// The bytes with each secret replaced.
    package func redact(_ bytes: [UInt8]) -> [UInt8] {
        guard !isEmpty else { return bytes }
        return bytes.withUnsafeBufferPointer {
            redact(SpelledText($0, digitsBefore: 0), upTo: bytes.count).redacted
        }
    }

    /// The headers with each secret replaced, without those of whose name it is a part, in whatever case.
    package func redact(headers: [(name: String, value: String)]) -> [(name: String, value: String)] {
        guard !isEmpty else { return headers }
        return headers.filter { !isInName($0.name) }.map { ($0.name, redact($0.value)) }
    }

    /// Redacts the secrets that begin before the limit.
    ///
    /// - Returns: the redacted bytes, and the end of what they stand for, which is the limit or the end of a secret.
    func redact(_ text: SpelledText, upTo limit: Int) -> (redacted: [UInt8], end: Int) {
        var redacted: [UInt8] = []
        redacted.reserveCapacity(limit)
        var (copied, index) = (0, 0)
        while index < limit {
            guard index + 1 < text.count, isStart[Int(text[index]) << 8 | Int(text[index + 1])],
                let end = end(in: text, at: index)
            else {
                index += 1
                continue
            }
            redacted += text[copied..<index]
            redacted += mask
            (copied, index) = (end, end)
        }
        if copied < index { redacted += text[copied..<index] }
        return (redacted, index)
    }

    /// The end of the longest secret that begins at the index.
    private func end(in text: SpelledText, at index: Int) -> Int? {
        var longest: Int?
        func look(_ first: UInt8) {
            for pattern in patternsByStart[Int(first)] {
                if let end = patterns[pattern].end(in: text, at: index) { longest = max(longest ?? 0, end) }
            }
        }
        guard SpelledText.isIntroducer(text[index]) else {
            look(text[index])
            return longest
        }
        for first in Set(text.readings(at: index).flatMap(\.firstBytes)) { look(first) }
        return longest
    }

    private func isInName(_ name: String) -> Bool {
        let name = Array(name.lowercased().utf8)
        return patterns.contains { pattern in
            guard pattern.bytes.count <= name.count else { return false }
            let secret = pattern.bytes.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
            return (0...name.count - secret.count).contains { name[$0...].starts(with: secret) }
        }
    }

    /// The credentials after the scheme, and the password of a pair (RFC 7617).
    private static func parts(ofAuthorization value: String) -> [String] {
        guard let last = value.split(separator: " ").last.map(String.init) else { return [] }
        guard value.lowercased().hasPrefix("basic "), let pair = Base64Text.decode(last) else { return [last] }
        let password = pair.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false).last
        return [last, String(decoding: pair, as: UTF8.self)]
            + [password.map { String(decoding: $0, as: UTF8.self) }].compactMap(\.self)
    }
}
