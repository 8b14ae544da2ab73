package import Domain

/// Writes one JSON object, member by member, in the order given.
///
/// All answers are written by it: the order is fixed, `JSONText` is put in as it is, and nothing is boxed.
package struct JSONObject: Sendable {
    var bytes: [UInt8] = [UInt8(ascii: "{")]

    package init() {}

    /// The object's text, when all its members are there.
    package consuming func finished() -> JSONText {
        bytes.append(UInt8(ascii: "}"))
        return JSONText(verified: String(decoding: bytes, as: UTF8.self))
    }

    /// Adds a member, unless the value is `nil`.
    package mutating func add(_ name: String, _ value: String?) {
        guard let value else { return }
        addName(name)
        bytes.append(jsonString: value)
    }

    package mutating func add(_ name: String, _ value: (some BinaryInteger)?) {
        guard let value else { return }
        addName(name)
        bytes += String(value).utf8
    }

    package mutating func add(_ name: String, _ value: Bool?) {
        guard let value else { return }
        addName(name)
        bytes += (value ? "true" : "false").utf8
    }

    package mutating func add(_ name: String, _ value: Timestamp?) { add(name, value?.description) }

    package mutating func add(_ name: String, _ value: JSONText?) {
        guard let value else { return }
        addName(name)
        bytes += value.text.utf8
    }

    package mutating func add(_ name: String, _ value: JSONObject) { add(name, value.finished()) }

    package mutating func add(_ name: String, _ values: [JSONText]) { add(name, JSONText(array: values)) }

    package mutating func add(_ name: String, _ values: [String]) {
        add(name, JSONText(array: values.map(JSONText.init(string:))))
    }

    package mutating func addNull(_ name: String) { add(name, JSONText(verified: "null")) }

    mutating func addName(_ name: String) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(jsonString: name)
        bytes.append(UInt8(ascii: ":"))
    }
}

extension JSONText {
    /// An array of values.
    package init(array values: [JSONText]) {
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += value.text.utf8
        }
        bytes.append(UInt8(ascii: "]"))
        self.init(verified: String(decoding: bytes, as: UTF8.self))
    }

    /// A string, escaped.
    package init(string: String) {
        var bytes: [UInt8] = []
        bytes.append(jsonString: string)
        self.init(verified: String(decoding: bytes, as: UTF8.self))
    }

    /// An object of members in order.
    package static func object(_ build: (inout JSONObject) -> Void) -> JSONText {
        var object = JSONObject()
        build(&object)
        return object.finished()
    }
}
