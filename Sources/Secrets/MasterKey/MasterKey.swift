import Crypto
import Foundation

/// The key that wraps every data key: 256 bits that are nowhere but in a file of their own, or in the environment.
package struct MasterKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package static let bytesCount = 32

    private let key: SymmetricKey

    private init(_ key: SymmetricKey) { self.key = key }

    package static func generate() -> MasterKey { MasterKey(SymmetricKey(size: .bits256)) }

    /// Reads 32 bytes in base64, white space around them ignored; `nil` for anything else.
    package init?(base64 text: String) {
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard let bytes = Data(base64Encoded: trimmed), bytes.count == Self.bytesCount else { return nil }
        key = SymmetricKey(data: bytes)
    }

    /// The key's text, for its file alone.
    var base64: String { key.withUnsafeBytes { Data($0).base64EncodedString() } }

    /// Encrypts a data key so that this key, and the same id, are needed to read it.
    func wrap(_ dataKey: SymmetricKey, as id: String) throws(SecretsError) -> [UInt8] {
        try SealedBytes.seal(dataKey.withUnsafeBytes { [UInt8]($0) }, key: key, associated: Self.associated(id))
    }

    func unwrap(_ wrapped: [UInt8], of id: String) throws(SecretsError) -> SymmetricKey {
        SymmetricKey(data: try SealedBytes.open(wrapped, key: key, associated: Self.associated(id)))
    }

    /// True when the wrapped key is of that id and was wrapped under this key.
    func opens(_ wrapped: [UInt8], of id: String) -> Bool { (try? unwrap(wrapped, of: id)) != nil }

    private static func associated(_ id: String) -> [UInt8] { AssociatedData("sluice data key 1", [id]).bytes }

    // Whatever prints one shows nothing of it.
    package var description: String { "MasterKey" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
