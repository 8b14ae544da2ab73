import Domain

/// Assembles tool calls from the fragments of a stream in OpenAI's format.
///
/// Services that speak the format differ: parallel calls may share the index 0 or have none, a call may come without an
/// id, its id and name in fragments of their own, its arguments as an object.
struct CallFragments: Sendable {
    private struct Call {
        /// The number among the calls of the answer, once the call has begun.
        var number: Int?
        var id: String?
        var name: String?
        /// Arguments that came before the name.
        var held = ""
        var arguments = JSONProgress()
        /// True when the name came again after the arguments: more of them are those of another call with the same id.
        var isRepeated = false

        /// True when a fragment with that id, name and text begins another call at the same index.
        func isOther(_ id: String?, _ name: String?, _ text: String) -> Bool {
            if let id, let own = self.id, id != own { return name != nil || arguments.isComplete }
            return name != nil && self.name != nil && !text.isEmpty && arguments.isComplete
        }
    }

    private var calls: [UInt64: Call] = [:]
    private var count = 0

    /// True once a call has begun.
    var hasCalls: Bool { count > 0 }

    /// Appends what the fragment adds to the answer.
    mutating func read(_ fragment: JSONValue, into deltas: inout [ChatDelta]) throws(BrokenStream) {
        let index = fragment["index"]?.unsigned ?? 0
        let id = Self.text(fragment["id"])
        let name = Self.text(fragment["function"]?["name"])
        let text = Self.arguments(fragment["function"]?["arguments"])
        var call = calls[index] ?? Call()
        if call.isRepeated, name == nil, !text.isBlank {
            let (sameID, sameName) = (call.id, call.name)
            try finish(&call, into: &deltas)
            call = Call(id: sameID, name: sameName)
        } else if call.isOther(id, name, text) {
            try finish(&call, into: &deltas)
            call = Call()
        } else if name != nil, call.arguments.isComplete {
            call.isRepeated = true
        }
        call.id = call.id ?? id
        call.name = call.name ?? name
        call.arguments.read(text)
        call.held += text
        if call.id != nil || !call.held.isEmpty { begin(&call, into: &deltas) }
        calls[index] = call
    }

    /// Appends the calls that have not begun yet, because their ids or arguments have not come.
    mutating func finish(into deltas: inout [ChatDelta]) throws(BrokenStream) {
        for index in calls.keys.sorted() {
            guard var call = calls[index], call.number == nil else { continue }
            // Some services end with a fragment that says nothing.
            guard call.id != nil || call.name != nil || !call.held.isEmpty else { continue }
            try finish(&call, into: &deltas)
            calls[index] = call
        }
    }

    private mutating func finish(_ call: inout Call, into deltas: inout [ChatDelta]) throws(BrokenStream) {
        begin(&call, into: &deltas)
        guard call.number != nil else { throw BrokenStream("a tool call has no name") }
    }

    /// Appends the beginning of a call whose name is known, and the arguments that have come meanwhile.
    private mutating func begin(_ call: inout Call, into deltas: inout [ChatDelta]) {
        guard let name = call.name else { return }
        let number = call.number ?? count
        if call.number == nil {
            call.number = number
            count += 1
            deltas.append(.callBegun(number, id: call.id ?? Self.newID(), name: name))
        }
        if !call.held.isEmpty { deltas.append(.callArguments(number, call.held)) }
        call.held = ""
    }

    /// An id for a call that came without one.
    static func newID() -> String { "call_" + String(UInt64.random(in: 0...UInt64.max), radix: 36) }

    private static func text(_ value: JSONValue?) -> String? { value?.string.flatMap { $0.isEmpty ? nil : $0 } }

    /// Arguments as the text that they are in the format, also when they come as an object.
    static func arguments(_ value: JSONValue?) -> String {
        switch value {
        case .string(let text)?: text
        case .object?: value?.text.text ?? ""
        default: ""
        }
    }
}
