import Domain
import Foundation

/// The second opinion on JSON.
enum FoundationJSON {
    static func value(of bytes: [UInt8]) -> Any? {
        do {
            return try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
        } catch {
            return nil
        }
    }

    /// Whether `error` is one of the deliberate differences: what Foundation takes and Sluice does not.
    static func isLenientlyRead(_ bytes: [UInt8], _ error: JSONError) -> Bool {
        let differences = [
            // Foundation takes the last of them, another reader the first.
            "two members of the same name",
            "nested deeper than",
        ]
        if differences.contains(where: error.message.contains) || isTrailingComma(bytes, error) { return true }
        // Foundation recognises UTF-16 and UTF-32, and byte order marks; Sluice reads UTF-8 as RFC 8259 asks.
        return bytes.contains(0) || bytes.starts(with: [0xef, 0xbb, 0xbf]) || bytes.starts(with: [0xff, 0xfe])
            || bytes.starts(with: [0xfe, 0xff])
    }

    /// Foundation allows a comma after the last value or member.
    private static func isTrailingComma(_ bytes: [UInt8], _ error: JSONError) -> Bool {
        let digits = error.message.dropFirst("invalid JSON at byte ".count).prefix { $0.isNumber }
        guard let index = Int(digits), index < bytes.count, bytes[index] == 0x5d || bytes[index] == 0x7d else {
            return false
        }
        return bytes[..<index].last { $0 > 0x20 } == UInt8(ascii: ",")
    }

    /// Whether both have read the same; numbers are not compared, which Foundation rounds.
    static func isSame(_ value: JSONValue, _ other: Any) -> Bool {
        switch value {
        case .null: other is NSNull
        case .bool(let flag): other as? Bool == flag
        case .number: other is NSNumber
        case .string(let text): (other as? String).map { Array($0.utf8) == Array(text.utf8) } == true
        case .array(let values):
            (other as? [Any]).map { $0.count == values.count && zip(values, $0).allSatisfy(isSame) } == true
        case .object(let members):
            (other as? [String: Any]).map { others in
                others.count == members.count
                    && members.allSatisfy { member in others[member.name].map { isSame(member.value, $0) } == true }
            } == true
        }
    }
}
