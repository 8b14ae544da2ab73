import Crypto
import Foundation

/// A signature as `ssh-keygen -Y sign` makes it (OpenSSH, PROTOCOL.sshsig).
package struct SSHSignature: Hashable, Sendable {
    package static let armorBytesMax = 8_192

    private static let magic = Array("SSHSIG".utf8)
    private static let beginning = "-----BEGIN SSH SIGNATURE-----"
    private static let ending = "-----END SSH SIGNATURE-----"

    enum HashName: String, Hashable, Sendable {
        case sha256, sha512

        func digest(_ bytes: [UInt8]) -> [UInt8] {
            switch self {
            case .sha256: Array(SHA256.hash(data: bytes))
            case .sha512: Array(SHA512.hash(data: bytes))
            }
        }
    }

    package let bytes: [UInt8]
    package let key: SSHPublicKey
    package let namespace: String
    private let reserved: [UInt8]
    private let hashName: HashName
    private let signature: [UInt8]

    /// Reads the blob; whether it verifies is another question.
    package init(bytes: [UInt8]) throws(SSHFailure) {
        guard bytes.count <= Self.armorBytesMax else { throw .malformed("it is too long") }
        var reader = SSHReader(bytes)
        guard try reader.bytes(Self.magic.count) == Self.magic else { throw .malformed("it is no SSH signature") }
        guard try reader.number() == 1 else { throw .malformed("it is of another version than 1") }
        key = try SSHPublicKey(blob: try reader.string())
        namespace = try reader.text()
        reserved = try reader.string()
        let name = try reader.text()
        guard let hashName = HashName(rawValue: name) else {
            throw .notAccepted("the hash \"\(name.prefix(64))\" is not taken: sha256 and sha512 are")
        }
        self.hashName = hashName
        signature = try reader.string()
        try reader.end()
        self.bytes = bytes
    }

    /// Reads what `ssh-keygen` writes: base64 between two lines.
    package init(armored text: String) throws(SSHFailure) {
        let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
        guard text.utf8.count <= Self.armorBytesMax, lines.count > 2, lines.first == Self.beginning,
            lines.last == Self.ending, let bytes = Data(base64Encoded: lines[1..<(lines.count - 1)].joined())
        else { throw .malformed("it must be the text from \(Self.beginning) to \(Self.ending)") }
        try self.init(bytes: Array(bytes))
    }

    /// The blob as `ssh-keygen` reads it.
    package static func armored(_ bytes: [UInt8]) -> String {
        let text = Data(bytes).base64EncodedString(options: [.lineLength76Characters, .endLineWithLineFeed])
        return "\(beginning)\n\(text)\n\(ending)\n"
    }

    package var armored: String { Self.armored(bytes) }

    /// - Throws: `SSHFailure` unless it is the key's signature of exactly this text in this namespace.
    package func verify(_ message: String, namespace: String) throws(SSHFailure) {
        guard self.namespace == namespace else { throw .wrongNamespace(self.namespace) }
        let digest = hashName.digest(Array(message.utf8))
        let signed =
            Self.magic + SSHWriting.string(self.namespace) + SSHWriting.string(reserved)
            + SSHWriting.string(hashName.rawValue) + SSHWriting.string(digest)
        try key.verify(signature, of: signed)
    }
}
