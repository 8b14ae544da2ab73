import Domain

/// A signed JSON Web Token as it was sent (RFC 7519, compact form): read, and nothing of it believed yet.
package struct JSONWebToken: Sendable {
    package static let bytesMax = 16 * 1024

    let algorithm: TokenAlgorithm
    let keyID: String?
    let claims: JSONValue
    /// What the signature is over.
    let signedBytes: [UInt8]
    let signature: [UInt8]

    /// Whether a bearer's text is a token, right or wrong, and not an API key: three parts, the first of them an object.
    package static func hasForm(_ text: String) -> Bool {
        guard text.utf8.starts(with: "eyJ".utf8) else { return false }
        var dots = 0
        for byte in text.utf8 where !Base64URL.isDigit(byte) {
            guard byte == UInt8(ascii: ".") else { return false }
            dots += 1
        }
        return dots == 2
    }

    /// Reads a token. Claims and header are nested no deeper than `JSONValue.depthMax`.
    package init(_ text: String) throws(TokenFailure) {
        guard text.utf8.count <= Self.bytesMax else { throw .tooLarge }
        let bytes = Array(text.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .malformed("it has not three parts") }
        let header = try Self.object(parts[0], "its header")
        algorithm = try Self.algorithm(header)
        keyID = try Self.text("kid", header)
        claims = try Self.object(parts[1], "its claims")
        signedBytes = Array(bytes[..<parts[1].endIndex])
        guard let signature = Base64URL.decode(parts[2]) else { throw .malformed("its signature is not base64url") }
        self.signature = signature
    }

    /// Who says that it made the token: to be used for choosing whom to ask, and no more.
    package var unverifiedIssuer: String? { claims["iss"]?.string }

    private static func algorithm(_ header: JSONValue) throws(TokenFailure) -> TokenAlgorithm {
        // What has to be understood is not (RFC 7515, section 4.1.11).
        guard header["crit"] == nil else { throw .malformed("its header has crit") }
        // A token of another kind was made for another use (RFC 8725, section 3.11).
        if let type = try text("typ", header)?.lowercased() {
            let known = ["jwt", "at+jwt", "application/jwt", "application/at+jwt"]
            guard known.contains(type) else { throw .malformed("its typ is neither JWT nor at+jwt") }
        }
        guard let name = try text("alg", header) else { throw .malformed("its header has no alg") }
        guard let algorithm = TokenAlgorithm(rawValue: name) else { throw .algorithmRefused(name) }
        return algorithm
    }

    private static func object(_ part: ArraySlice<UInt8>, _ what: String) throws(TokenFailure) -> JSONValue {
        guard let bytes = Base64URL.decode(part) else { throw .malformed("\(what) is not base64url") }
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: bytes) } catch {
            throw .malformed("\(what): \(error.message)")
        }
        // Names that it proves end up where a NUL would end a text.
        guard !value.containsNUL else { throw .malformed("\(what) contains the character NUL") }
        if case .object = value { return value }
        throw .malformed("\(what) is no object")
    }

    private static func text(_ name: String, _ header: JSONValue) throws(TokenFailure) -> String? {
        guard let value = header[name] else { return nil }
        guard let text = value.string else { throw .malformed("the \(name) of its header is no string") }
        return text
    }
}
