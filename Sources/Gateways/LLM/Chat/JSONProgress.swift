/// Follows a JSON object or array that comes in pieces, to see where it ends.
struct JSONProgress: Sendable {
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    private(set) var isBegun = false

    /// True once the outermost object or array has ended.
    var isComplete: Bool { isBegun && depth == 0 }

    /// Reads the next piece.
    mutating func read(_ text: String) {
        for byte in text.utf8 {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                isBegun = true
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
        }
    }
}
