package import Domain

/// The keys that an identity provider publishes (a JSON Web Key Set, RFC 7517), those of them that verify tokens.
package struct KeySet: Sendable {
    /// More keys than this are not looked at.
    package static let keysMax = 64
    /// A token that names no key is tried with so many.
    private static let unnamedTriesMax = 8

    private let keys: [VerificationKey]

    /// Reads a set; `nil` when it is none, or none of its keys is usable.
    package init?(_ document: JSONValue) async {
        guard case .array(let entries)? = document["keys"] else { return nil }
        var keys: [VerificationKey] = []
        for entry in entries.prefix(Self.keysMax) {
            if let key = await VerificationKey(entry) { keys.append(key) }
        }
        guard !keys.isEmpty else { return nil }
        self.keys = keys
    }

    /// Checks the token's signature with the key that it names.
    func verify(_ token: JSONWebToken) throws(TokenFailure) {
        guard let id = token.keyID else {
            let tried = keys.lazy.filter { $0.isFor(token.algorithm) }.prefix(Self.unnamedTriesMax)
            guard tried.contains(where: { $0.verifies(token) }) else { throw .unknownKey(nil) }
            return
        }
        let named = keys.filter { $0.id?.isExactly(id) == true }
        guard !named.isEmpty else { throw .unknownKey(id) }
        let fitting = named.filter { $0.isFor(token.algorithm) }
        guard !fitting.isEmpty else { throw .algorithmMismatch(token.algorithm.rawValue) }
        guard fitting.contains(where: { $0.verifies(token) }) else { throw .wrongSignature }
    }
}
