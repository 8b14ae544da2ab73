import Authentication
import Domain
import JWTKit
import Testing

/// Which published keys verify tokens.
@Suite struct KeySetTests {
    @Test(arguments: [
        #","use":"enc""#, #","key_ops":["sign"]"#, #","alg":"ES384""#, #","alg":"HS256""#, #","alg":7"#,
    ])
    func aKeyForSomethingElseIsNotUsed(_ member: String) async throws {
        #expect(try await keySet(SigningKey().document(member)) == nil)
    }

    @Test(arguments: [#","use":"sig""#, #","key_ops":["verify"]"#, #","alg":"ES256""#, #","x5c":["?"],"d":"AA""#])
    func aKeyForSignaturesIs(_ member: String) async throws {
        let key = SigningKey()
        let keys = try #require(try await keySet(key.document(member)))
        #expect(throws: Never.self) { try outcome(key.token(), keys).get() }
    }

    @Test(arguments: [
        #"{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTMy","kid":"k1","alg":"HS256"}"#,
        #"{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"k1"}"#, #"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#,
        #"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}"#, #"{"kty":"OKP","crv":"X25519","x":"AA"}"#, "{}", "7",
        "null", #"{"kty":"RSA","n":7,"e":[]}"#,
    ])
    func brokenKeysAreLeftOut(_ document: String) async throws {
        #expect(try await keySet(document) == nil)
        let good = SigningKey()
        let keys = try #require(try await keySet(document, good.document()))
        #expect(throws: Never.self) { try outcome(good.token(), keys).get() }
    }

    @Test(arguments: ["{}", "[]", "null", #"{"keys":{}}"#, #"{"keys":[]}"#])
    func whatIsNoSetIsNone(_ text: String) async throws {
        #expect(await KeySet(try JSONValue(parsing: Array(text.utf8))) == nil)
    }

    @Test func ofMoreKeysThanAreLookedAtTheFirstCount() async throws {
        let (first, last) = (SigningKey("first"), SigningKey("last"))
        let filler = (0..<KeySet.keysMax).map { #"{"kty":"oct","kid":"\#($0)"}"# }.joined(separator: ",")
        let keys = try #require(try await keySet(first.document(), filler, last.document()))
        #expect(throws: Never.self) { try outcome(first.token(), keys).get() }
        #expect(try outcome(last.token(), keys) == .failure(.unknownKey("last")))
    }

    @Test func twoKeysMayHaveOneName() async throws {
        let (one, other) = (SigningKey(), SigningKey())
        let keys = try #require(try await keySet(one.document(), other.document()))
        for key in [one, other] { #expect(throws: Never.self) { try outcome(key.token(), keys).get() } }
    }
}
