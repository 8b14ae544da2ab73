import Domain
import JWTKit

/// A public key of an identity provider. It decides which algorithms it verifies, not the token.
struct VerificationKey: Sendable {
    let id: String?
    private let verifiers: [TokenAlgorithm: any JWTAlgorithm]

    /// Reads a JSON Web Key (RFC 7517); `nil` for what verifies no token: another use, another kind, a weak or broken key.
    init?(_ key: JSONValue) async {
        guard key["use"]?.string ?? "sig" == "sig", Self.mayVerify(key["key_ops"]) else { return nil }
        var verifiers: [TokenAlgorithm: any JWTAlgorithm] = [:]
        for algorithm in Self.algorithms(of: key) {
            guard let jwk = Self.publicKey(key, algorithm), let verifier = try? await Self.verifier(jwk) else {
                return nil
            }
            verifiers[algorithm] = verifier
        }
        guard !verifiers.isEmpty else { return nil }
        id = key["kid"]?.string
        self.verifiers = verifiers
    }

    func isFor(_ algorithm: TokenAlgorithm) -> Bool { verifiers[algorithm] != nil }

    func verifies(_ token: JSONWebToken) -> Bool {
        guard let verifier = verifiers[token.algorithm] else { return false }
        return (try? verifier.verify(token.signature, signs: token.signedBytes)) ?? false
    }

    private static func mayVerify(_ operations: JSONValue?) -> Bool {
        guard case .array(let names)? = operations else { return true }
        return names.contains(.string("verify"))
    }

    /// Those of the key's kind; the one that the key names, when it names one.
    private static func algorithms(of key: JSONValue) -> [TokenAlgorithm] {
        let ofKind: [TokenAlgorithm] =
            switch (key["kty"]?.string, key["crv"]?.string) {
            case ("RSA", _): TokenAlgorithm.rsa
            case ("EC", "P-256"): [.es256]
            case ("EC", "P-384"): [.es384]
            case ("EC", "P-521"): [.es512]
            case ("OKP", "Ed25519"): [.edDSA]
            default: []
            }
        guard let named = key["alg"] else { return ofKind }
        return ofKind.filter { .string($0.rawValue) == named }
    }

    private static let keyID = JWKIdentifier(string: "key")

    /// The public part alone, whatever else the provider shows.
    private static func publicKey(_ key: JSONValue, _ algorithm: TokenAlgorithm) -> JWK? {
        guard let name = JWK.Algorithm(rawValue: algorithm.rawValue) else { return nil }
        func member(_ name: String) -> String? {
            key[name]?.string.flatMap { Base64URL.decode($0.utf8) == nil ? nil : $0 }
        }
        switch algorithm {
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512:
            guard let modulus = member("n"), let exponent = member("e") else { return nil }
            return .rsa(name, identifier: keyID, modulus: modulus, exponent: exponent)
        case .es256, .es384, .es512:
            guard let x = member("x"), let y = member("y") else { return nil }
            let curve: ECDSACurve = algorithm == .es256 ? .p256 : algorithm == .es384 ? .p384 : .p521
            return .ecdsa(name, identifier: keyID, x: x, y: y, curve: curve)
        case .edDSA:
            guard let x = member("x") else { return nil }
            return .octetKeyPair(name, identifier: keyID, x: x, y: nil, curve: .ed25519)
        }
    }

    private static func verifier(_ key: JWK) async throws -> any JWTAlgorithm {
        let keys = JWTKeyCollection()
        try await keys.add(jwk: key)
        return try await keys.getKey(for: keyID)
    }
}
