import Crypto
import CryptoExtras
import Foundation

/// A public key of OpenSSH: of a file, an agent or a security key.
package struct SSHPublicKey: Hashable, Sendable {
    package static let bytesMax = 2_048
    private static let rsaBits = 2_048...8_192

    /// The key in SSH's wire format.
    package let blob: [UInt8]
    /// Its type, as OpenSSH names it.
    package let type: String
    let material: Material

    enum Material: Hashable, Sendable {
        case ed25519([UInt8])
        case ecdsa(Curve, [UInt8])
        case rsa(modulus: [UInt8], exponent: [UInt8])
        /// A security key: what it signs names the application, and says whether somebody was there.
        indirect case securityKey(Material, application: String)
    }

    enum Curve: String, Hashable, Sendable, CaseIterable {
        case p256 = "nistp256"
        case p384 = "nistp384"
        case p521 = "nistp521"

        var coordinateBytes: Int {
            switch self {
            case .p256: 32
            case .p384: 48
            case .p521: 66
            }
        }
    }

    /// - Throws: `SSHFailure` for a key that is broken, weak, or of a type that is not taken.
    package init(blob: [UInt8]) throws(SSHFailure) {
        guard blob.count <= Self.bytesMax else { throw .malformed("a key has at most \(Self.bytesMax) bytes") }
        var reader = SSHReader(blob)
        type = try reader.text()
        switch type {
        case "ssh-ed25519": material = .ed25519(try Self.ed25519(&reader))
        case "sk-ssh-ed25519@openssh.com":
            let key = Material.ed25519(try Self.ed25519(&reader))
            material = .securityKey(key, application: try reader.text())
        case "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521":
            material = try Self.ecdsa(&reader, String(type.dropFirst("ecdsa-sha2-".count)))
        case "sk-ecdsa-sha2-nistp256@openssh.com":
            let key = try Self.ecdsa(&reader, Curve.p256.rawValue)
            material = .securityKey(key, application: try reader.text())
        case "ssh-rsa":
            let exponent = try reader.positiveInteger()
            material = .rsa(modulus: try reader.positiveInteger(), exponent: exponent)
        default:
            throw .notAccepted(
                "a key of type \"\(type.prefix(64))\" is not taken: use ssh-ed25519, ecdsa-sha2-*, ssh-rsa of 2048 bits or "
                    + "more, or a security key (sk-*)")
        }
        try reader.end()
        self.blob = blob
        try checkUsable()
    }

    /// Reads a line as it is in an `id_*.pub` file: type, base64, comment.
    package init(line: String) throws(SSHFailure) {
        let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
        guard words.count >= 2, line.utf8.count <= 2 * Self.bytesMax,
            let blob = Data(base64Encoded: String(words[1]))
        else { throw .malformed("a public key is a line such as \"ssh-ed25519 AAAA... comment\"") }
        try self.init(blob: Array(blob))
        guard type == words[0] else { throw .malformed("the line says \(words[0].prefix(64)) and its key \(type)") }
    }

    /// The line without a comment.
    package var line: String { "\(type) \(Data(blob).base64EncodedString())" }

    /// What `ssh-keygen -l` shows: `SHA256:` and the hash in base64 without padding.
    package var fingerprint: String {
        let text = Data(SHA256.hash(data: blob)).base64EncodedString()
        return "SHA256:" + text.prefix { $0 != "=" }
    }

    private static func ed25519(_ reader: inout SSHReader) throws(SSHFailure) -> [UInt8] {
        let key = try reader.string()
        guard key.count == 32 else { throw .malformed("an Ed25519 key has 32 bytes") }
        return key
    }

    private static func ecdsa(_ reader: inout SSHReader, _ name: String) throws(SSHFailure) -> Material {
        guard let curve = Curve(rawValue: name), try reader.text() == name else {
            throw .malformed("the key's type and curve differ")
        }
        return .ecdsa(curve, try reader.string())
    }

    private func checkUsable() throws(SSHFailure) {
        if case .rsa(let modulus, let exponent) = material {
            let bits = modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0)
            guard Self.rsaBits.contains(bits) else {
                throw .notAccepted("an RSA key of \(bits) bits is not taken: 2048 to 8192 are")
            }
            // Larger exponents make one verification cost as much as a signature.
            guard exponent.count <= 4 else { throw .notAccepted("an RSA key with so large an exponent is not taken") }
        }
        guard material.isUsable else { throw .malformed("its public key is none") }
    }
}

extension SSHPublicKey.Material {
    fileprivate var isUsable: Bool {
        switch self {
        case .ed25519(let key): (try? Curve25519.Signing.PublicKey(rawRepresentation: key)) != nil
        case .ecdsa(.p256, let point): (try? P256.Signing.PublicKey(x963Representation: point)) != nil
        case .ecdsa(.p384, let point): (try? P384.Signing.PublicKey(x963Representation: point)) != nil
        case .ecdsa(.p521, let point): (try? P521.Signing.PublicKey(x963Representation: point)) != nil
        case .rsa(let modulus, let exponent): (try? _RSA.Signing.PublicKey(n: modulus, e: exponent)) != nil
        case .securityKey(let key, _): key.isUsable
        }
    }
}
