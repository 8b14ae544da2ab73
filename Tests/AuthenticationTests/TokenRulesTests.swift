import Authentication
import Domain
import Testing

/// Where a token says who somebody is.
@Suite struct TokenRulesTests {
    private let key = SigningKey()

    private func proven(_ changes: [String: String?], _ rules: TokenRules) async throws -> ProvenIdentity {
        let keys = try #require(try await keySet(key.document()))
        return try outcome(try key.token(Issuer.claims(changes)), keys, rules: rules).get()
    }

    @Test func theUserMayBeAnyClaimAndOneWithinAnother() async throws {
        #expect(try await proven([:], Issuer.rules(userIDClaim: "sub")).userID == "s-1")
        let nested = ["person": #"{"login":{"name":"ada"}}"#]
        #expect(try await proven(nested, Issuer.rules(userIDClaim: "person.login.name")).userID == "ada")
        let dotted = ["https://x.test/id": #""ada""#, "https://x": #"{"test/id":"eve"}"#]
        #expect(try await proven(dotted, Issuer.rules(userIDClaim: "https://x.test/id")).userID == "ada")
        await #expect(throws: TokenFailure.missingClaim("person.login")) {
            try await proven(["person": "7"], Issuer.rules(userIDClaim: "person.login"))
        }
    }

    @Test func withoutASubjectTheUserIsTheSubject() async throws {
        #expect(try await proven(["sub": nil], Issuer.rules).subject == "ada@corp.test")
    }

    @Test func withoutAudiencesAnyIsTaken() async throws {
        #expect(try await proven(["aud": nil], Issuer.rules(audiences: [])).userID == "ada@corp.test")
    }

    @Test(arguments: [
        (#"["finance","risk","finance"]"#, ["finance", "risk"]), (#""finance risk""#, ["finance risk"]),
        (#""finance,risk, ops\t,,""#, ["finance", "ops", "risk"]),
        (#""guests,finance\u00a0,\u3000risk, ops\t""#, ["guests", "ops"]),
        (#""contractors of finance,guests""#, ["contractors of finance", "guests"]),
        (#"["contractors of finance","guests,finance"," risk"]"#, [" risk", "contractors of finance"]),
        (#"[["finance"],{"name":"finance"},true,null]"#, []), (#"["a b",7,"","x\ny"]"#, ["a b"]), ("null", []),
        ("[]", []), (#""""#, []),
    ])
    func groupsAreAnArrayOrAText(_ claim: String, _ groups: [String]) async throws {
        #expect(try await proven(["groups": claim], Issuer.rules(groupsClaim: "groups")).groups == groups)
    }

    @Test func groupsOfAnotherKindAreRefusedAndNoneAreNone() async throws {
        await #expect(throws: TokenFailure.self) {
            try await proven(["groups": "7"], Issuer.rules(groupsClaim: "groups"))
        }
        #expect(try await proven([:], Issuer.rules(groupsClaim: "groups")).groups.isEmpty)
        #expect(try await proven(["groups": #"["finance"]"#], Issuer.rules).groups.isEmpty, "nobody asked for them")
    }

    @Test(arguments: [
        ["email": #""ada@corp.test""#], ["email": #""ADA@Corp.Test""#],
        ["email": #""ada@corp.test""#, "email_verified": "true"],
        ["email": #""ada@corp.test""#, "email_verified": #""true""#],
    ])
    func peopleOfTheDomainAreTaken(_ claims: [String: String]) async throws {
        let rules = Issuer.rules(allowedDomains: ["example.com", "Corp.test"])
        await #expect(throws: Never.self) { try await proven(claims.mapValues { $0 }, rules) }
    }

    @Test(arguments: [
        ["email": #""ada@evil.test""#], ["email": #""ada@xcorp.test""#], ["email": #""ada@a.corp.test""#],
        ["email": #""corp.test""#], ["email": #""@corp.test""#], ["email": #""a@evil.test@corp.test""#],
        ["email": #""a@corp.test@evil.test""#], ["email": #""ada@corp.test.evil.test""#],
        ["email": #""ada@corp.test""#, "email_verified": "false"],
        ["email": #""ada@corp.test""#, "email_verified": #""false""#],
    ])
    func peopleOfOtherDomainsAreNot(_ claims: [String: String]) async throws {
        await #expect(throws: TokenFailure.domainNotAllowed) {
            try await proven(claims.mapValues { $0 }, Issuer.rules(allowedDomains: ["corp.test"]))
        }
    }

    private static let unverified = [
        "false", #""false""#, #""False""#, #""TRUE""#, #""true ""#, #""""#, "0", "1", "null", "[]", "[true]", "{}",
    ]

    @Test(arguments: unverified)
    func anAddressThatIsNotVerifiedIsNobodysUserID(_ claim: String) async throws {
        for rules in [Issuer.rules, Issuer.rules(allowedDomains: ["corp.test"])] {
            await #expect(throws: TokenFailure.self) { try await proven(["email_verified": claim], rules) }
        }
    }

    @Test(arguments: unverified)
    func anAddressThatIsNotVerifiedShowsNoDomainUnderWhateverName(_ claim: String) async throws {
        let rules = Issuer.rules(userIDClaim: "login", allowedDomains: ["corp.test"])
        for login in [#""ada""#, #""ada@corp.test""#, #""ADA@corp.test""#] {
            await #expect(throws: TokenFailure.domainNotAllowed) {
                try await proven(["login": login, "email_verified": claim], rules)
            }
        }
        #expect(
            try await proven(["login": #""eve@corp.test""#, "email_verified": claim], rules).userID == "eve@corp.test")
    }

    @Test func theAddressOfATokenIsKnownBesideItsUser() async throws {
        let rules = Issuer.rules(userIDClaim: "sub")
        #expect(try await proven(["email_verified": "false"], rules).address == "ada@corp.test")
        #expect(try await proven(["email": nil], rules).address == nil)
        #expect(try await proven(["email": "7"], rules).address == nil)
    }

    @Test func anAddressBesideTheUserIDShowsTheDomainToo() async throws {
        let rules = Issuer.rules(userIDClaim: "sub", allowedDomains: ["corp.test"])
        #expect(try await proven([:], rules).userID == "s-1")
        await #expect(throws: TokenFailure.domainNotAllowed) { try await proven(["email": nil], rules) }
        await #expect(throws: TokenFailure.domainNotAllowed) {
            try await proven(["email_verified": "false"], rules)
        }
    }

    @Test func aMessageShowsLittleOfTheToken() {
        let long = String(repeating: "k\u{7}é", count: 100)
        for failure in [TokenFailure.unknownKey(long), .algorithmRefused(long), .algorithmMismatch(long)] {
            #expect(failure.message.utf8.count < 256)
            #expect(failure.message.utf8.allSatisfy { (0x20...0x7e).contains($0) })
        }
    }

    @Test(arguments: [
        [:], ["aud": #"["client"]"#], ["aud": #"["client","other"]"#, "azp": #""client""#], ["azp": #""client""#],
    ])
    func anIDTokenOfThisSignInIsTaken(_ claims: [String: String]) async throws {
        let rules = Issuer.rules.forSignIn(clientID: "client", nonce: "n-1")
        let token = ["aud": #""client""#, "nonce": #""n-1""#].merging(claims) { $1 }
        #expect(try await proven(token.mapValues { $0 }, rules).userID == "ada@corp.test")
    }

    @Test(arguments: [
        (["nonce": #""n-2""#], TokenFailure.wrongNonce), (["nonce": "7"], .wrongNonce), (["nonce": nil], .wrongNonce),
        (["aud": #""sluice""#], .wrongAudience), (["aud": nil], .missingAudience),
        (["aud": #"["client","other"]"#], .wrongParty), (["azp": #""other""#], .wrongParty),
        (["azp": "7"], .wrongParty),
    ])
    func anIDTokenOfAnotherSignInIsNot(_ claims: [String: String?], _ failure: TokenFailure) async throws {
        let rules = Issuer.rules.forSignIn(clientID: "client", nonce: "n-1")
        let right: [String: String?] = ["aud": #""client""#, "nonce": #""n-1""#]
        await #expect(throws: failure) { try await proven(right.merging(claims) { $1 }, rules) }
    }

    @Test func aTokenThatIsNoSignInsNeedsNoNonce() async throws {
        #expect(try await proven(["nonce": #""n-1""#, "azp": #""other""#], Issuer.rules).userID == "ada@corp.test")
    }
}
