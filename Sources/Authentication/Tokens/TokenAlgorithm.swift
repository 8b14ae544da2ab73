/// The signatures that prove a token (RFC 7518, RFC 8037): with public keys alone.
package enum TokenAlgorithm: String, Hashable, Sendable, CaseIterable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    case edDSA = "EdDSA"

    static let rsa: [TokenAlgorithm] = [.rs256, .rs384, .rs512, .ps256, .ps384, .ps512]

    static let list = allCases.map(\.rawValue).joined(separator: ", ")
}
