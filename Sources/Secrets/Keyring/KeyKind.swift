package import Domain

/// The kinds of keys in a keyring.
package enum KeyKind: String, Hashable, Sendable, CaseIterable {
    /// The key of one person in one workspace.
    case person
    /// The key of one secret.
    case secret
    /// The key of one workspace's payloads of one day.
    case payload
    /// Keys of the keyring's own, which are never destroyed.
    case other
}

/// The number of keys of each kind.
package struct KeyCounts: Hashable, Sendable {
    private var counts: [KeyKind: Int] = [:]

    package internal(set) subscript(kind: KeyKind) -> Int {
        get { counts[kind, default: 0] }
        set { counts[kind] = newValue == 0 ? nil : newValue }
    }

    /// The number of all keys.
    package var total: Int { counts.values.reduce(0, +) }
}

/// The id of a key, as memory holds it: 16 bytes instead of the 43 of its text for people and secrets.
enum KeyName: Hashable, Sendable {
    case person(UUIDValue)
    case secret(UUIDValue)
    case text(String)

    static let personPrefix = "person/"
    static let secretPrefix = "secret/"

    init(_ id: String) {
        if let value = Self.value(of: id, after: Self.personPrefix) {
            self = .person(value)
        } else if let value = Self.value(of: id, after: Self.secretPrefix) {
            self = .secret(value)
        } else {
            self = .text(id)
        }
    }

    /// Nothing but canonical texts: `id` gives back the very text that was read.
    private static func value(of id: String, after prefix: String) -> UUIDValue? {
        guard id.hasPrefix(prefix), let value = UUIDValue(text: String(id.dropFirst(prefix.count))),
            value.text == id.dropFirst(prefix.count)
        else { return nil }
        return value
    }

    var id: String {
        switch self {
        case .person(let value): Self.personPrefix + value.text
        case .secret(let value): Self.secretPrefix + value.text
        case .text(let id): id
        }
    }

    var kind: KeyKind {
        switch self {
        case .person: .person
        case .secret: .secret
        case .text(let id): PayloadKeyID(id) == nil ? .other : .payload
        }
    }
}
