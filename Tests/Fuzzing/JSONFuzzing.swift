import Domain
import Foundation

/// Any bytes give a JSON value or say what is wrong with them, and a value comes back as it went in.
enum JSONFuzzing {
    static func run(_ input: [UInt8]) throws {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: input)
        } catch {
            try promise(error.message.hasPrefix("invalid JSON at byte "), "a refusal that does not say where")
            try promise(error.message.utf8.count < 512, "a refusal as long as what was sent")
            try promise(
                FoundationJSON.value(of: input) == nil || FoundationJSON.isLenientlyRead(input, error),
                "refused, and Foundation reads it: \(error.message)")
            return
        }
        try checkRoundTrip(value)
        try promise(depth(value) <= JSONValue.depthMax, "nested deeper than is allowed")
        // Foundation has no numbers beyond a Double's.
        if !hasHugeNumber(value) {
            guard let other = FoundationJSON.value(of: input) else {
                throw BrokenPromise(description: "read, and Foundation refuses it")
            }
            try promise(FoundationJSON.isSame(value, other), "Foundation reads another value")
        }
        try checkTexts(value)
    }

    private static func checkRoundTrip(_ value: JSONValue) throws {
        let text = value.text.text
        let again = try JSONValue(parsing: Array(text.utf8))
        try promise(again == value, "another value comes back")
        // Strings that look the same are equal; the text's bytes tell them apart.
        try promise(Array(again.text.text.utf8) == Array(text.utf8), "the text of the same value has other bytes")
        try promise(value.text.value == value, "the checked text stands for another value")
    }

    private static func depth(_ value: JSONValue) -> Int {
        switch value {
        case .array(let values): 1 + (values.map(depth).max() ?? 0)
        case .object(let members): 1 + (members.map { depth($0.value) }.max() ?? 0)
        default: 0
        }
    }

    private static func hasHugeNumber(_ value: JSONValue) -> Bool {
        switch value {
        case .number(let text): Double(text)?.isFinite != true
        case .array(let values): values.contains(where: hasHugeNumber)
        case .object(let members): members.contains { hasHugeNumber($0.value) }
        default: false
        }
    }

    /// The texts that the routes read out of bodies: what is accepted can be written and read again.
    private static func checkTexts(_ value: JSONValue) throws {
        switch value {
        case .string(let text):
            if let duration = DurationText.parse(text) {
                try promise(DurationText.parse(DurationText.format(duration)) == duration, "another duration: \(text)")
            }
            if let time = Timestamp(rfc3339: text), let again = Timestamp(rfc3339: time.description) {
                try promise(again == time, "another time: \(text)")
            }
            if let id = RunID(text) {
                try promise(RunID(id.description) == id && id.description == text.lowercased(), "another id: \(text)")
            }
            if let name = WorkspaceName(text) {
                try promise(name.text.utf8.allSatisfy { $0 < 0x80 }, "a workspace that is no DNS label: \(text)")
            }
            try promise(PayloadHash(text).matches(PayloadHash(text)), "a hash does not match itself: \(text)")
        case .array(let values): for value in values { try checkTexts(value) }
        case .object(let members): for member in members { try checkTexts(member.value) }
        default: break
        }
    }
}
