import Authentication
import Testing

/// What a request's two headers say.
@Suite struct CredentialsTests {
    private static let key = "ra_ws_0123456789abcdef"
    private static let token = "eyJhbGciOiJFUzI1NiJ9.e30.AAAA"

    private func read(_ authorization: String?, _ header: String?) -> Result<Credentials, Credentials.Failure> {
        Result { () throws(Credentials.Failure) in
            try Credentials(authorization: authorization, apiKeyHeader: header)
        }
    }

    @Test func aKeyComesInEitherHeader() throws {
        let secret = try #require(APIKeySecret(Self.key))
        #expect(read("Bearer \(Self.key)", nil) == .success(.apiKey(secret)))
        #expect(read("bearer  \(Self.key)", Self.key) == .success(.apiKey(secret)))
        #expect(read(nil, Self.key) == .success(.apiKey(secret)))
    }

    @Test func aTokenComesAloneOrBesideAKey() throws {
        let secret = try #require(APIKeySecret(Self.key))
        #expect(read("Bearer \(Self.token)", nil) == .success(.token(Self.token)))
        #expect(read("Bearer \(Self.token)", Self.key) == .success(.both(secret, token: Self.token)))
    }

    @Test(arguments: [
        "eyJhbGci.e30", "eyJhbGci.e30.AA.AA", "eyJhbGci.e3$0.AAAA", "ayJhbGciOiJFUzI1NiJ9.e30.AAAA",
        "eyJ-a-key-that-begins-so",
    ])
    func whatIsNoTokenIsAKey(_ text: String) {
        #expect(read("Bearer \(text)", Self.key) == .failure(.contradicting))
        guard case .success(.token) = read("Bearer \(text)", nil) else { return }
        Issue.record("it is taken for a token")
    }

    @Test func othersAreRefused() {
        #expect(read(nil, nil) == .failure(.missing))
        #expect(read("Basic abc", nil) == .failure(.malformed))
        #expect(read("Basic  \(Self.key)", nil) == .failure(.malformed))
        #expect(read("Bearer short", nil) == .failure(.malformed))
        #expect(read("Bearer \(Self.key)", "another-key-0123456789") == .failure(.contradicting))
    }

    /// Stored for each key, so it must not change; taken from another implementation.
    @Test func aKeysDigestIsTheWholeSHA256() throws {
        let digest = try #require(APIKeySecret("0123456789abcdef")).digest
        #expect(digest == "9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f")
    }
}
