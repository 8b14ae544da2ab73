import Domain
import Gateways
import Testing

/// Calls of an OAuth2 tool carry a token that one of them has fetched.
@Suite struct ClientCredentialsTests {
    private let endpoint = ScriptedEndpoint()
    private let clock = ManualClock()

    private func injector(client: String? = nil) throws -> any CredentialInjector {
        try Fixture.injector(
            .oauth2(
                tokenURL: "https://id.test/token", scopes: ["read", "write"],
                parameters: [.init(name: "audience", value: "https://api.test/")], client: client),
            ["client_id": "the client", "client_secret": "s:ecret"], endpoint: endpoint, clock: clock)
    }

    private func authorization(_ injector: any CredentialInjector) async throws -> String? {
        try await injector.apply(to: Fixture.call("https://x.test", [("authorization", "forged")]))
            .header("Authorization")
    }

    @Test func manyCallsAtOnceFetchOneToken() async throws {
        let injector = try injector()
        endpoint.close()
        try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<50 { group.addTask { try await authorization(injector) } }
            while endpoint.requests.isEmpty { await Task.yield() }
            endpoint.open()
            for try await value in group { #expect(value == "Bearer token-1") }
        }
        #expect(endpoint.requests.count == 1)
    }

    @Test func aTokenIsUsedUntilItNearsItsEnd() async throws {
        let injector = try injector()
        for (advance, expected) in [(0, "1"), (3500, "1"), (50, "2"), (3000, "2")] {
            clock.advance(.seconds(advance))
            #expect(try await authorization(injector) == "Bearer token-\(expected)")
        }
    }

    @Test(arguments: [Duration.seconds(40 * 86_400), .seconds(-40 * 86_400)])
    func aStepOfTheWallClockMakesATokenNeitherOldNorYoung(_ step: Duration) async throws {
        let injector = try injector()
        #expect(try await authorization(injector) == "Bearer token-1")
        clock.step(step)
        #expect(try await authorization(injector) == "Bearer token-1")
        clock.advance(.seconds(3600))
        #expect(try await authorization(injector) == "Bearer token-2")
    }

    @Test func afterA401AnotherTokenIsFetchedOnce() async throws {
        let injector = try injector()
        let first = try await injector.apply(to: Fixture.call())
        #expect(injector.mayRenew(after: first))
        #expect(try await authorization(injector) == "Bearer token-2")
        // Another call that had the old token too takes the new one.
        #expect(injector.mayRenew(after: first))
        #expect(try await authorization(injector) == "Bearer token-2")
        #expect(!injector.mayRenew(after: Fixture.call()))
    }

    @Test func aCancelledFetcherLeavesTheFetchToAnother() async throws {
        let injector = try injector()
        endpoint.close()
        let fetcher = Task { try? await authorization(injector) }
        while endpoint.requests.isEmpty { await Task.yield() }
        let other = Task { try await authorization(injector) }
        fetcher.cancel()
        endpoint.open()
        #expect(try await other.value == "Bearer token-2")
        #expect(await fetcher.value == nil)
    }

    @Test func theClientsCredentialsGoWhereTheServerTakesThem() async throws {
        _ = try await authorization(injector())
        let basic = try #require(endpoint.requests.last)
        #expect(basic.form == "grant_type=client_credentials&scope=read%20write&audience=https%3A%2F%2Fapi.test%2F")
        // base64 of "the%20client:s%3Aecret"
        #expect(basic.authorization == "Basic dGhlJTIwY2xpZW50OnMlM0FlY3JldA==")
        _ = try await authorization(injector(client: "client_secret_post"))
        let post = try #require(endpoint.requests.last)
        #expect(post.authorization == nil && post.form.contains("&client_id=the%20client&client_secret=s%3Aecret&"))
    }

    @Test func anAnswerOfTheEndpointIsATokenOrAReasonWithoutItsWords() throws {
        func read(_ status: UInt, _ text: String) throws -> AccessToken {
            try HTTPTokenEndpoint.read(status, Array(text.utf8), askedAt: Fixture.start)
        }
        let token = try read(200, #"{"access_token":"t","token_type":"bearer","expires_in":"120"}"#)
        #expect(token.text == "t" && token.expiresAt == Fixture.start.adding(.seconds(120)))
        #expect(token.refreshAt == Fixture.start.adding(.seconds(96)))
        #expect(try read(200, #"{"access_token":"t"}"#).expiresAt == Fixture.start.adding(.seconds(300)))
        for (status, text, code, words) in [
            (401, #"{"error":"invalid_client","error_description":"s3cret"}"#, .tokenRefused, "invalid_client"),
            (400, #"{"error":"s3cret"}"#, .tokenRefused, "400"), (200, "s3cret", .tokenRefused, "200"),
            (503, "s3cret", .tokenUnreachable, "503"),
            (200, #"{"access_token":"s3cret","token_type":"mac"}"#, .unsupported, "Bearer"),
        ] as [(UInt, String, CredentialErrorCode, String)] {
            #expect {
                _ = try read(status, text)
            } throws: { error in
                guard let error = error as? CredentialError else { return false }
                return error.code == code && error.description.contains(words) && !error.description.contains("s3cret")
            }
        }
    }
}
