/// The check of a token that failed, in words for whoever sent it. Nothing of the token is in them but the names of its
/// key and its algorithm.
package enum TokenFailure: Error, Hashable, Sendable {
    case tooLarge
    case malformed(String)
    /// An algorithm that proves nothing here: `none`, one with a shared secret, or one that is not known.
    case algorithmRefused(String)
    /// The key is not for the algorithm that the token names.
    case algorithmMismatch(String)
    /// No key of the provider is named so; of a token that names none: no key of the provider verifies it.
    case unknownKey(String?)
    case wrongSignature
    case wrongIssuer
    case missingAudience
    case wrongAudience
    case expired
    /// The ID token is of another sign-in.
    case wrongNonce
    /// The ID token was issued to another client.
    case wrongParty
    case notYetValid
    case issuedInTheFuture
    case missingClaim(String)
    case unusableClaim(String, String)
    case domainNotAllowed

    /// Whether the same token may pass once the provider's keys were fetched anew.
    package var mayPassWithNewerKeys: Bool {
        if case .unknownKey = self { true } else { false }
    }

    package var message: String {
        switch self {
        case .tooLarge: "the token is longer than \(JSONWebToken.bytesMax) bytes"
        case .malformed(let what): "the token is malformed: \(what)"
        case .algorithmRefused(let name):
            "the token's algorithm \(Self.quoted(name)) is not accepted; accepted are \(TokenAlgorithm.list)"
        case .algorithmMismatch(let name):
            "the token's algorithm \(Self.quoted(name)) is not one of the key that it names"
        case .unknownKey(let id?): "the token's key \(Self.quoted(id)) is not one of the identity provider's"
        case .unknownKey(nil): "the token names no key, and none of the identity provider's verifies it"
        case .wrongSignature: "the token's signature is wrong"
        case .wrongIssuer: "the token is of another issuer"
        case .missingAudience: "the token has no audience"
        case .wrongAudience: "the token is for another audience"
        case .expired: "the token is expired"
        case .wrongNonce: "the token is of another sign-in"
        case .wrongParty: "the token was issued to another client"
        case .notYetValid: "the token is not valid yet"
        case .issuedInTheFuture: "the token was issued in the future"
        case .missingClaim(let name): "the token has no claim \(name)"
        case .unusableClaim(let name, let rule): "the token's claim \(name) must be \(rule)"
        case .domainNotAllowed: "the token's user is of no domain that the identity provider allows"
        }
    }

    /// Short, and of visible ASCII alone.
    private static func quoted(_ text: String) -> String {
        "\"" + String(text.unicodeScalars.prefix(40).map { (0x20...0x7e).contains($0.value) ? Character($0) : "?" })
            + "\""
    }
}
