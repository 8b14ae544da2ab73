/// Redacts secrets in what a peer answers: some quote the credential that they were sent.
///
/// A secret is found as it is, percent-encoded, escaped in JSON or HTML, and in base64, also as a part of what was
/// encoded. Bodies with a content encoding are not searched.
package struct Redactor: Sendable {
    /// Shorter secrets are not redacted: they would hide words that are none.
    package static let secretBytesMin = 4
    package static let mask = "REDACTED"
    static let none = Redactor([])

    /// The longest first.
    let patterns: [RedactionPattern]
    /// The bytes in the place of each secret.
    private let mask: [UInt8]
    /// True for each byte that a secret in any form may begin with.
    private let isStart: [Bool]

    /// - Parameters:
    ///   - secrets: The texts to find; those that are too short are left out.
    ///   - mask: The text in the place of each.
    package init(_ secrets: some Sequence<String>, mask: String = Self.mask) {
        self.mask = Array(mask.utf8)
        let known = Set(secrets.map { Array($0.utf8) }.filter { $0.count >= Self.secretBytesMin })
        patterns = Set(known.flatMap { RedactionPattern.patterns(of: $0) }).sorted { $0.bytes.count > $1.bytes.count }
        var isStart = [Bool](repeating: false, count: 256)
        for pattern in patterns { for byte in pattern.starts { isStart[Int(byte)] = true } }
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
        var stream = RedactionStream(self)
        return stream.take(bytes) + stream.finish()
    }

    func redact(headers: [(name: String, value: String)]) -> [(name: String, value: String)] {
        isEmpty ? headers : headers.map { ($0.name, redact($0.value)) }
    }

    /// Redacts what is decided.
    ///
    /// - Parameter isWhole: true when nothing follows.
    /// - Returns: the redacted bytes, and how many at the end may be the beginning of a secret and have to wait.
    func redactBeginning(of bytes: [UInt8], isWhole: Bool) -> (redacted: [UInt8], waiting: Int) {
        guard !isEmpty else { return (bytes, 0) }
        return bytes.withUnsafeBufferPointer { buffer in
            var redacted: [UInt8] = []
            var (copied, index) = (0, 0)
            while index < buffer.count {
                guard isStart[Int(buffer[index])] else {
                    index += 1
                    continue
                }
                switch match(buffer, at: index) {
                case .none: index += 1
                case .unfinished where !isWhole:
                    redacted += buffer[copied..<index]
                    return (redacted, buffer.count - index)
                case .unfinished(nil): index += 1
                case .unfinished(let end?), .end(let end):
                    redacted += buffer[copied..<index]
                    redacted += mask
                    (copied, index) = (end, end)
                }
            }
            guard copied > 0 else { return (bytes, 0) }
            redacted += buffer[copied...]
            return (redacted, 0)
        }
    }

    private enum Match {
        case none
        case end(Int)
        /// Bytes that follow may make it a secret, or a longer one than ends here.
        case unfinished(Int?)
    }

    private func match(_ buffer: UnsafeBufferPointer<UInt8>, at index: Int) -> Match {
        var longest: Int?
        var isUnfinished = false
        for pattern in patterns {
            switch pattern.match(buffer, at: index) {
            case .none: continue
            case .unfinished: isUnfinished = true
            case .end(let end): longest = max(longest ?? 0, end)
            }
        }
        if isUnfinished { return .unfinished(longest) }
        return longest.map { .end($0) } ?? .none
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

/// Redacts a body that arrives in chunks, wherever these are cut.
package struct RedactionStream: Sendable {
    private let redactor: Redactor
    private var waiting: [UInt8] = []

    package init(_ redactor: Redactor) { self.redactor = redactor }

    /// The bytes that are decided once the chunk has arrived.
    package mutating func take(_ chunk: [UInt8]) -> [UInt8] {
        let bytes = waiting.isEmpty ? chunk : waiting + chunk
        let (redacted, count) = redactor.redactBeginning(of: bytes, isWhole: false)
        waiting = Array(bytes.suffix(count))
        return redacted
    }

    /// The bytes that were waiting for more.
    package mutating func finish() -> [UInt8] {
        defer { waiting = [] }
        return redactor.redactBeginning(of: waiting, isWhole: true).redacted
    }
}
