import Domain

/// The files of a keyring: two copies of it, and its id in a third one, which says to which of two keyrings a directory
/// belongs.
struct KeyringFiles: Sendable {
    let storage: any KeyStorage
    let first: String

    init(_ storage: any KeyStorage, path: String) {
        self.storage = storage
        first = path
    }

    var second: String { first + ".second" }
    var idPath: String { first + ".id" }

    func path(of place: KeyringPlace) -> String { place == .first ? first : second }

    func scan(_ place: KeyringPlace, isWritable: Bool) throws(SecretsError) -> KeyringScan? {
        let path = path(of: place)
        guard let file = try storage.open(path, isWritable: isWritable) else { return nil }
        return try KeyringScan(file, path: path)
    }

    /// The id in the third file; `nil` when there is no file, or none that holds an id.
    func id() throws(SecretsError) -> UUIDValue? {
        guard let file = try storage.open(idPath, isWritable: false) else { return nil }
        let text = String(decoding: try file.read(bytesMax: 64), as: UTF8.self)
        return text.hasSuffix("\n") ? UUIDValue(text: String(text.dropLast())) : nil
    }

    func writeID(_ id: UUIDValue) throws(SecretsError) {
        try storage.create(idPath, Array((id.text + "\n").utf8))
    }
}

/// One of the two files of a keyring.
enum KeyringPlace: CaseIterable {
    case first, second
}
