import Domain

extension JSONValue {
    static func number(_ number: UInt64) -> JSONValue { .number(String(number)) }

    /// A whole number that is not negative.
    var unsigned: UInt64? {
        if case .number(let text) = self { UInt64(text) } else { nil }
    }

    var isTrue: Bool { self == .bool(true) }

    var boolean: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// `nil` for `null`.
    var present: JSONValue? { self == .null ? nil : self }
}
