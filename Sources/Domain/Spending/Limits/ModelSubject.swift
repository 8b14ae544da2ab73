/// One key, one user or one model, whose calls are counted together.
package struct ModelSubject: Hashable, Sendable {
    /// In the words of the API.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case key, user, model
    }

    package let kind: Kind
    package let name: String

    package init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    /// The subjects of a call: its key by name, its user and its model.
    package static func all(actor: Actor, user: String?, model: String) -> [ModelSubject] {
        let key: String? = if case .apiKey = actor.kind { actor.name } else { nil }
        let names = [(Kind.key, key), (.user, user), (.model, model)]
        return names.compactMap { kind, name in
            name.flatMap { $0.isEmpty ? nil : ModelSubject(kind, $0) }
        }
    }
}

/// A name, or a pattern of names in which `*` stands for any characters, also none.
package struct SubjectPattern: Hashable, Sendable {
    package let text: String
    private let bytes: [UInt8]
    /// True for a name.
    private let isExact: Bool

    package init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
        isExact = !bytes.contains(UInt8(ascii: "*"))
    }

    /// Compares bytes. Takes at most the product of both lengths.
    package func matches(_ name: String) -> Bool {
        if isExact { return name.utf8.elementsEqual(bytes) }
        let (pattern, name) = (bytes, Array(name.utf8))
        var (place, index) = (0, 0)
        // The last `*`, and the byte of the name that it was tried at.
        var star: (place: Int, index: Int)?
        while index < name.count {
            if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                star = (place, index)
                place += 1
            } else if place < pattern.count, pattern[place] == name[index] {
                (place, index) = (place + 1, index + 1)
            } else if let last = star {
                star = (last.place, last.index + 1)
                (place, index) = (last.place + 1, last.index + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
