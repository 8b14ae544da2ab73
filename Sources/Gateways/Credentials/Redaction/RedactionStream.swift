import Outbound

/// Redacts a body that arrives in chunks, wherever these are cut.
///
/// A piece of the body goes on when its line or its message has ended, or when so many bytes have followed that no secret
/// in any spelling can reach over its end. Neither depends on the secrets: the sizes and times of the pieces tell a
/// reader nothing of how much of a guess is right.
package struct RedactionStream: Sendable {
    private let redactor: Redactor
    private var waiting: [UInt8] = []
    /// The number of digits directly before what waits.
    private var digitsBefore = 0
    private var messages: EventStreamMessages?

    /// - Parameter contentType: the body's, which may say that it has messages instead of lines.
    package init(_ redactor: Redactor, contentType: String? = nil) {
        self.redactor = redactor
        if contentType?.lowercased().hasPrefix("application/vnd.amazon.eventstream") == true {
            messages = EventStreamMessages()
        }
    }

    /// The bytes that are decided once the chunk has arrived.
    package mutating func take(_ chunk: [UInt8]) -> [UInt8] {
        guard !redactor.isEmpty else { return chunk }
        let countBefore = waiting.count
        waiting += chunk
        var redacted: [UInt8] = []
        if let end = messages?.end(after: chunk) { redacted += release(upTo: countBefore + end, isWhole: true) }
        if !redactor.hasLines, let end = endOfLastLine(chunk) { redacted += release(upTo: end, isWhole: true) }
        let decided = waiting.count - redactor.spelledBytesMax
        if decided > 0 { redacted += release(upTo: decided, isWhole: false) }
        return redacted
    }

    /// The bytes that were waiting for more.
    package mutating func finish() -> [UInt8] { release(upTo: waiting.count, isWhole: true) }

    private func endOfLastLine(_ chunk: [UInt8]) -> Int? {
        guard chunk.contains(where: \.isLineEnd) else { return nil }
        return waiting.withUnsafeBufferPointer { SpelledText($0, digitsBefore: digitsBefore).endOfLastLine() }
    }

    /// - Parameter isWhole: true when no secret reaches over the limit.
    private mutating func release(upTo limit: Int, isWhole: Bool) -> [UInt8] {
        guard limit > 0 else { return [] }
        let (redacted, end, digits) = waiting.withUnsafeBufferPointer { buffer in
            let part = isWhole ? UnsafeBufferPointer(rebasing: buffer[..<limit]) : buffer
            let text = SpelledText(part, digitsBefore: digitsBefore)
            let (redacted, end) = redactor.redact(text, upTo: limit)
            return (redacted, end, text.digits(before: end))
        }
        waiting.removeFirst(end)
        digitsBefore = digits
        return redacted
    }
}

/// Counts the messages of an `application/vnd.amazon.eventstream` body, each of which begins with its length.
private struct EventStreamMessages {
    private static let bytesMin = 16
    private static let lengthBytes = 4

    private var length: [UInt8] = []
    /// The bytes of the message that are still to come; `nil` before its length is known.
    private var missing: Int?
    private var isReadable = true

    /// The index after the last message that ends within the chunk; `nil` when none does.
    mutating func end(after chunk: [UInt8]) -> Int? {
        var (index, end): (Int, Int?) = (0, nil)
        while isReadable, index < chunk.count {
            if let missing {
                guard missing <= chunk.count - index else {
                    self.missing = missing - (chunk.count - index)
                    return end
                }
                index += missing
                end = index
                self.missing = nil
            } else {
                length.append(chunk[index])
                index += 1
                guard length.count == Self.lengthBytes else { continue }
                let count = length.reduce(0) { $0 << 8 | Int($1) }
                isReadable = count >= Self.bytesMin
                missing = count - Self.lengthBytes
                length = []
            }
        }
        return end
    }
}

extension Redactor {
    /// The reason why secrets cannot be redacted in the response; `nil` when they can.
    func unsearchable(_ response: OutboundResponse) -> String? {
        if isEmpty { return nil }
        if response.hasContentEncoding {
            return "it has a content coding, which hides credentials, although \"identity\" was asked for"
        }
        if response.status == 206 {
            return "it is a part (206), which hides credentials, although the whole was asked for"
        }
        return nil
    }
}
