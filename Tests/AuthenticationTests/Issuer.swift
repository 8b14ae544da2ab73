import Authentication
import Crypto
import Domain
import Foundation
import JWTKit

/// Signs tokens as an identity provider does, right ones and wrong ones.
struct Issuer {
    static let name = "https://id.test"
    static let now = Timestamp(microseconds: 1_790_000_000_000_000)
    static let seconds = 1_790_000_000

    static let rules = rules()

    static func rules(
        audiences: [String] = ["sluice"], userIDClaim: String = "email", allowedDomains: [String] = [],
        groupsClaim: String? = nil, leeway: Duration = .seconds(60)
    ) -> TokenRules {
        TokenRules(
            issuer: name, audiences: audiences, userIDClaim: userIDClaim, allowedDomains: allowedDomains,
            groupsClaim: groupsClaim, leeway: leeway)
    }

    /// What a right token says, with some members in the place of others; `nil` leaves one out.
    static func claims(_ changes: [String: String?] = [:]) -> String {
        let right: [String: String?] = [
            "iss": "\"\(name)\"", "aud": #""sluice""#, "sub": #""s-1""#, "email": #""ada@corp.test""#,
            "exp": "\(seconds + 600)", "iat": "\(seconds)",
        ]
        let members = right.merging(changes) { $1 }.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }
        return "{" + members.sorted().joined(separator: ",") + "}"
    }

    static func token(header: String, claims: String, signature: ([UInt8]) throws -> [UInt8]) rethrows -> String {
        let signed = encoded(Array(header.utf8)) + "." + encoded(Array(claims.utf8))
        return signed + "." + encoded(try signature(Array(signed.utf8)))
    }

    static func encoded(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}

/// A key on the curve P-256, which is quick to make.
struct SigningKey {
    let id: String?
    private let key = P256.Signing.PrivateKey()

    init(_ id: String? = "k1") { self.id = id }

    /// The key as it is published, with further members.
    func document(_ more: String = "") -> String {
        let point = Array(key.publicKey.rawRepresentation)
        let (x, y) = (Issuer.encoded(Array(point[..<32])), Issuer.encoded(Array(point[32...])))
        return #"{"kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)"\#(id.map { ",\"kid\":\"\($0)\"" } ?? "")\#(more)}"#
    }

    func token(
        _ claims: String = Issuer.claims(), algorithm: String = "ES256", header: String = ""
    ) throws -> String {
        let named = id.map { ",\"kid\":\"\($0)\"" } ?? ""
        return try Issuer.token(header: #"{"alg":"\#(algorithm)"\#(named)\#(header)}"#, claims: claims) { bytes in
            Array(try key.signature(for: bytes).rawRepresentation)
        }
    }
}

func keySet(_ documents: String...) async throws -> KeySet? {
    await KeySet(try JSONValue(parsing: Array(#"{"keys":[\#(documents.joined(separator: ","))]}"#.utf8)))
}

/// What comes of a token: the person, or the check that failed.
func outcome(
    _ text: String, _ keys: KeySet, rules: TokenRules = Issuer.rules, at now: Timestamp = Issuer.now
) -> Result<ProvenIdentity, TokenFailure> {
    Result { () throws(TokenFailure) in try rules.identity(of: try JSONWebToken(text), keys: keys, at: now) }
}
