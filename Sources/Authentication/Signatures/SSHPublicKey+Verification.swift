import Crypto
import CryptoExtras

extension SSHPublicKey {
    /// - Parameter signature: in the wire format of the key's type (RFC 4253, RFC 5656, RFC 8332, PROTOCOL.u2f).
    func verify(_ signature: [UInt8], of message: [UInt8]) throws(SSHFailure) {
        var reader = SSHReader(signature)
        let algorithm = try reader.text()
        let value = try reader.string()
        var signed = message
        if case .securityKey(_, let application) = material {
            let (flags, counter) = (try reader.byte(), try reader.bytes(4))
            guard flags & 1 == 1 else {
                throw .notAccepted("the security key did not see anybody touch it (a key made with no-touch-required)")
            }
            signed =
                Array(SHA256.hash(data: Array(application.utf8))) + [flags] + counter
                + Array(SHA256.hash(data: message))
        }
        try reader.end()
        guard try material.verifies(value, of: signed, named: algorithm, keyType: type) else { throw .doesNotFit }
    }
}

extension SSHPublicKey.Material {
    fileprivate func verifies(
        _ signature: [UInt8], of message: [UInt8], named algorithm: String, keyType: String
    ) throws(SSHFailure) -> Bool {
        if case .rsa(let modulus, let exponent) = self {
            return try Self.rsaVerifies(signature, of: message, named: algorithm, modulus, exponent)
        }
        guard algorithm == keyType else { throw .malformed("the key is \(keyType) and the signature is another's") }
        switch self {
        case .ed25519(let key):
            return (try? Curve25519.Signing.PublicKey(rawRepresentation: key))?
                .isValidSignature(signature, for: message) ?? false
        case .ecdsa(let curve, let point): return try Self.ecdsaVerifies(signature, of: message, curve, point)
        case .securityKey(let key, _):
            return try key.verifies(signature, of: message, named: algorithm, keyType: keyType)
        case .rsa: return false
        }
    }

    private static func ecdsaVerifies(
        _ signature: [UInt8], of message: [UInt8], _ curve: SSHPublicKey.Curve, _ point: [UInt8]
    ) throws(SSHFailure) -> Bool {
        var reader = SSHReader(signature)
        var raw: [UInt8] = []
        for _ in 0..<2 {
            let number = try reader.positiveInteger()
            guard number.count <= curve.coordinateBytes else {
                throw .malformed("a number of the signature is too large")
            }
            raw += [UInt8](repeating: 0, count: curve.coordinateBytes - number.count) + number
        }
        try reader.end()
        switch curve {
        case .p256:
            guard let key = try? P256.Signing.PublicKey(x963Representation: point),
                let signature = try? P256.Signing.ECDSASignature(rawRepresentation: raw)
            else { return false }
            return key.isValidSignature(signature, for: SHA256.hash(data: message))
        case .p384:
            guard let key = try? P384.Signing.PublicKey(x963Representation: point),
                let signature = try? P384.Signing.ECDSASignature(rawRepresentation: raw)
            else { return false }
            return key.isValidSignature(signature, for: SHA384.hash(data: message))
        case .p521:
            guard let key = try? P521.Signing.PublicKey(x963Representation: point),
                let signature = try? P521.Signing.ECDSASignature(rawRepresentation: raw)
            else { return false }
            return key.isValidSignature(signature, for: SHA512.hash(data: message))
        }
    }

    private static func rsaVerifies(
        _ signature: [UInt8], of message: [UInt8], named algorithm: String, _ modulus: [UInt8], _ exponent: [UInt8]
    ) throws(SSHFailure) -> Bool {
        guard signature.count <= modulus.count, let key = try? _RSA.Signing.PublicKey(n: modulus, e: exponent) else {
            return false
        }
        let padded = [UInt8](repeating: 0, count: modulus.count - signature.count) + signature
        let value = _RSA.Signing.RSASignature(rawRepresentation: padded)
        switch algorithm {
        case "rsa-sha2-256":
            return key.isValidSignature(value, for: SHA256.hash(data: message), padding: .insecurePKCS1v1_5)
        case "rsa-sha2-512":
            return key.isValidSignature(value, for: SHA512.hash(data: message), padding: .insecurePKCS1v1_5)
        default:
            throw .notAccepted(
                "a signature \"\(algorithm.prefix(64))\" of an RSA key is not taken: rsa-sha2-256 and rsa-sha2-512 are")
        }
    }
}
