import Authentication
import Domain
import Testing

/// Which tokens prove whom, and which check refuses the others.
@Suite struct TokenTests {
    private let key = SigningKey()

    private func keys() async throws -> KeySet { try #require(try await keySet(key.document())) }

    @Test func aRightTokenProvesItsUser() async throws {
        let proven = try outcome(key.token(), keys: await keys()).get()
        #expect(proven.userID == "ada@corp.test" && proven.subject == "s-1" && proven.groups.isEmpty)
    }

    private func outcome(_ text: String, keys: KeySet, rules: TokenRules = Issuer.rules) -> Result<
        ProvenIdentity, TokenFailure
    > { AuthenticationTests.outcome(text, keys, rules: rules) }

    struct BadClaims: CustomTestStringConvertible, Sendable {
        let changes: [String: String?]
        let failure: TokenFailure

        init(_ changes: [String: String?], _ failure: TokenFailure) {
            self.changes = changes
            self.failure = failure
        }

        var testDescription: String { "\(changes)" }
    }

    private static let userRule = "a text of 1 to 256 bytes without control characters"

    @Test(arguments: [
        BadClaims(["iss": #""https://id.test/""#], .wrongIssuer), BadClaims(["iss": nil], .wrongIssuer),
        BadClaims(["iss": "[\"https://id.test\"]"], .wrongIssuer),
        BadClaims(["aud": nil], .missingAudience), BadClaims(["aud": "null"], .missingAudience),
        BadClaims(["aud": #""Sluice""#], .wrongAudience), BadClaims(["aud": "[]"], .wrongAudience),
        BadClaims(["aud": #"["other","another"]"#], .wrongAudience),
        BadClaims(["aud": "[\"sluice\",1]"], .unusableClaim("aud", "a string or an array of strings")),
        BadClaims(["exp": "\(Issuer.seconds - 60)"], .expired), BadClaims(["exp": "-1e300"], .expired),
        BadClaims(["exp": nil], .missingClaim("exp")),
        BadClaims(["exp": "null"], .unusableClaim("exp", "a number of seconds")),
        BadClaims(["exp": "1e999"], .unusableClaim("exp", "a number of seconds")),
        BadClaims(["nbf": "\(Issuer.seconds + 61)"], .notYetValid),
        BadClaims(["nbf": "\"soon\""], .unusableClaim("nbf", "a number of seconds")),
        BadClaims(["iat": "\(Issuer.seconds + 61)"], .issuedInTheFuture),
        BadClaims(["email": nil], .missingClaim("email")),
        BadClaims(["email": "\"\""], .unusableClaim("email", userRule)),
        BadClaims(["email": "7"], .unusableClaim("email", userRule)),
        BadClaims(["email": #""a\u0007b""#], .unusableClaim("email", userRule)),
        BadClaims(["email": #""a\u0085b""#], .unusableClaim("email", userRule)),
        BadClaims(["email": "\"\(String(repeating: "é", count: 129))\""], .unusableClaim("email", userRule)),
    ])
    func whatItSaysIsChecked(_ bad: BadClaims) async throws {
        #expect(try outcome(key.token(Issuer.claims(bad.changes)), keys: await keys()) == .failure(bad.failure))
    }

    @Test(
        arguments: [
            ["exp": "\(Issuer.seconds - 59)"], ["exp": "\(Issuer.seconds).5"], ["exp": "1e12"],
            ["nbf": "\(Issuer.seconds + 60)"], ["iat": "\(Issuer.seconds + 60)"], ["iat": nil], ["sub": nil],
            ["aud": #"["other","sluice"]"#],
        ] as [[String: String?]])
    func clocksMayBeALittleApart(_ changes: [String: String?]) async throws {
        await #expect(throws: Never.self) {
            try outcome(key.token(Issuer.claims(changes)), keys: await keys()).get()
        }
    }

    @Test func theSignatureIsCheckedBeforeWhatTheTokenSays() async throws {
        let token = try SigningKey().token(Issuer.claims(["exp": "1"]))
        #expect(outcome(token, keys: try await keys()) == .failure(.wrongSignature))
    }

    @Test(arguments: ["none", "None", "HS256", "HS512", "RSA-OAEP", "", "ES256K", "es256"])
    func anAlgorithmThatProvesNothingIsRefused(_ name: String) async throws {
        #expect(try outcome(key.token(algorithm: name), keys: await keys()) == .failure(.algorithmRefused(name)))
    }

    @Test(arguments: ["ES384", "RS256", "EdDSA"])
    func theKeyDecidesWhichAlgorithmItIsFor(_ name: String) async throws {
        #expect(try outcome(key.token(algorithm: name), keys: await keys()) == .failure(.algorithmMismatch(name)))
    }

    @Test func anUnknownKeyMayBeOneOfTomorrow() async throws {
        let failure = TokenFailure.unknownKey("k2")
        #expect(try outcome(SigningKey("k2").token(), keys: await keys()) == .failure(failure))
        #expect(failure.mayPassWithNewerKeys && !TokenFailure.wrongSignature.mayPassWithNewerKeys)
        #expect(try outcome(SigningKey(nil).token(), keys: await keys()) == .failure(.unknownKey(nil)))
    }

    @Test func aTokenThatNamesNoKeyIsTriedWithAllOfItsAlgorithm() async throws {
        let unnamed = SigningKey(nil)
        let keys = try #require(try await keySet(key.document(), unnamed.document()))
        #expect(throws: Never.self) { try outcome(unnamed.token(), keys: keys).get() }
    }

    @Test func aTokenThatNamesNoKeyIsTriedWithFewOfThem() async throws {
        let unnamed = (0..<9).map { _ in SigningKey(nil) }
        let documents = unnamed.map { $0.document() }.joined(separator: ",")
        let keys = try #require(try await keySet(documents))
        #expect(throws: Never.self) { try outcome(unnamed[7].token(), keys: keys).get() }
        #expect(try outcome(unnamed[8].token(), keys: keys) == .failure(.unknownKey(nil)))
    }

    @Test func aRightTokenWithAFourthPartIsNone() async throws {
        let token = try key.token() + ".AAAA"
        #expect(outcome(token, keys: try await keys()) == .failure(.malformed("it has not three parts")))
    }

    /// Each signature has one spelling, so that a token cannot pass for another one.
    @Test(arguments: ["AAAAA", "AB", "AAB", "A", "AA=", "AA A"])
    func aSignatureInAnotherSpellingIsRefused(signature: String) throws {
        let token = try key.token()
        let signed = token[..<(try #require(token.lastIndex(of: ".")))]
        #expect(throws: Never.self) { try JSONWebToken("\(signed).AA") }
        #expect(throws: TokenFailure.malformed("its signature is not base64url")) {
            try JSONWebToken("\(signed).\(signature)")
        }
    }

    /// Unicode has two spellings of some letters, which `==` takes for one.
    @Test func anIssuerIsComparedByteForByte() async throws {
        let (composed, decomposed) = ("https://id.test/\u{e9}", "https://id.test/e\u{301}")
        let rules = TokenRules(
            issuer: composed, audiences: [], userIDClaim: "email", allowedDomains: [], groupsClaim: nil, leeway: .zero)
        let keys = try await keys()
        for (issuer, isTaken) in [(composed, true), (decomposed, false)] {
            let token = try key.token(Issuer.claims(["iss": "\"\(issuer)\""]))
            let failure: TokenFailure? =
                if case .failure(let it) = outcome(token, keys: keys, rules: rules) { it } else { nil }
            #expect(failure == (isTaken ? nil : .wrongIssuer))
        }
    }

    @Test func aTokenThatIsHugeIsNotRead() async throws {
        let token = try key.token(Issuer.claims(["padding": "\"\(String(repeating: "x", count: 16_384))\""]))
        #expect(outcome(token, keys: try await keys()) == .failure(.tooLarge))
    }

    @Test func whatIsNestedDeeplyIsRefusedAndEndsNothing() async throws {
        let nested = String(repeating: "[", count: 5_000) + String(repeating: "]", count: 5_000)
        for (header, claims) in [("{\"a\":\(nested)}", "{}"), ("{\"alg\":\"ES256\"}", "{\"a\":\(nested)}")] {
            let token = Issuer.token(header: header, claims: claims) { _ in [1] }
            guard case .failure(.malformed(let what)) = outcome(token, keys: try await keys()) else {
                Issue.record("it is not refused")
                continue
            }
            #expect(what.contains("nested"))
        }
    }

    @Test(arguments: [
        "eyJ", "eyJ..", "eyJ.a.b.c", "eyJhbGciOiJFUzI1NiJ9.e30.", "eyJhbGciOiJFUzI1NiJ9.e30=.AAAA",
        "eyJhbGciOiJFUzI1NiJ9.e3 0.AAAA", "eyJhbGciOiJFUzI1NiJ9.e31.AAAA", "eyJhbGciOiJFUzI1NiJ9.W10.AAAA",
        "eyJhbGciOiJFUzI1NiJ9.e30.A", "eyJhIjoxfQ.e30.AAAA", "", "..",
    ])
    func whatIsNoTokenIsRefused(_ text: String) async throws {
        guard case .failure = outcome(text, keys: try await keys()) else {
            Issue.record("it is taken")
            return
        }
    }

    @Test(arguments: [#","crit":["exp"]"#, #","typ":"logout+jwt""#, #","typ":7"#])
    func whatTheHeaderAsksForAndNobodyKnowsIsRefused(_ header: String) async throws {
        guard case .failure(.malformed) = try outcome(key.token(header: header), keys: await keys()) else {
            Issue.record("it is taken")
            return
        }
    }

    @Test(arguments: ["JWT", "jwt", "at+jwt", "application/at+jwt"])
    func tokensAndAccessTokensAreTaken(_ type: String) async throws {
        let token = try key.token(header: #","typ":"\#(type)""#)
        await #expect(throws: Never.self) { try outcome(token, keys: await keys()).get() }
    }
}
