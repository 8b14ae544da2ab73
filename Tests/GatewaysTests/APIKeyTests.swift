import Domain
import Gateways
import Testing

/// An API key goes where the tool's specification says, and nothing of the agent's stays beside it.
@Suite struct APIKeyTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let authentication: String
        var url = "https://x.test/a"
        var header: String?
        var value: String?
        var changedURL: String?

        var testDescription: String { authentication }
    }

    static let cases = [
        Case(authentication: #"{"type":"APIKey"}"#, header: "Authorization", value: "Bearer k&y ü"),
        Case(
            authentication: #"{"type":"APIKey","apiKeyConfig":{"in":"Header","name":"X-Key"}}"#, header: "X-Key",
            value: "k&y ü"),
        Case(
            authentication: #"{"type":"APIKey","apiKeyConfig":{"in":"header","name":"X-Key","valuePrefix":"Key="}}"#,
            header: "X-Key", value: "Key=k&y ü"),
        Case(
            authentication: #"{"type":"APIKey","apiKeyConfig":{"name":"Authorization","valuePrefix":"Token"}}"#,
            header: "Authorization", value: "Token k&y ü"),
        Case(
            authentication: #"{"type":"APIKey","in":"Query","name":"api key"}"#,
            changedURL: "https://x.test/a?api%20key=k%26y%20%C3%BC"),
        Case(
            authentication: #"{"type":"APIKey","apiKeyConfig":{"in":"Query","name":"key"}}"#,
            url: "https://x.test/a?b=1&key=mine&c=%2F&k%65y=again#part",
            changedURL: "https://x.test/a?b=1&c=%2F&key=k%26y%20%C3%BC"),
    ]

    @Test(arguments: cases)
    func theKeyIsPutInItsPlace(one: Case) async throws {
        let injector = try Fixture.injector(try Fixture.authentication(one.authentication), ["api_key": "k&y ü"])
        let name = one.header ?? "X-Other"
        let forged = Fixture.call(one.url, [(name.uppercased(), "forged"), ("Accept", "a"), (name, "forged again")])
        let call = try await injector.apply(to: forged)
        if let header = one.header {
            #expect(call.headers.filter { $0.name.lowercased() == header.lowercased() }.map(\.value) == [one.value])
            #expect(call.headers.count == 2)
        }
        #expect(call.url == one.changedURL ?? one.url)
        #expect(call.header("accept") == "a")
        #expect(!injector.mayRenew(after: call))
    }

    @Test(arguments: [#"{"type":"None"}"#, "{}", "null"])
    func withoutAuthenticationACallGoesAsItCame(document: String) async throws {
        let call = Fixture.call("https://x.test/a?b", [("Authorization", "mine")])
        let sent = try await Fixture.injector(try Fixture.authentication(document), [:]).apply(to: call)
        #expect(sent.url == call.url && sent.headers.map(\.value) == ["mine"])
    }

    @Test(arguments: ["a\r\nX-Injected: 1", "a\u{0}"])
    func aKeyThatWouldMakeAnotherHeaderIsRefused(key: String) async throws {
        let injector = try Fixture.injector(.apiKey(place: "Header", name: "X-Key", valuePrefix: nil), ["api_key": key])
        await #expect(throws: CredentialError.self) { try await injector.apply(to: Fixture.call()) }
    }

    @Test(arguments: [
        (#"{"type":"Magic"}"#, CredentialErrorCode.unsupported), (#"{"type":"OAuth2"}"#, .malformed),
        (#"{"type":"AWSSignature"}"#, .malformed), (#"{"type":"APIKey","in":"Cookie"}"#, .malformed),
        (#"{"type":"APIKey","in":"Query"}"#, .malformed), (#"{"type":"APIKey"}"#, .missing),
        (#"{"type":"OAuth2","tokenUrl":"https://t.test","clientAuthentication":"jwt"}"#, .unsupported),
        (#"{"type":"OAuth2","tokenUrl":"https://t.test"}"#, .missing),
        (#"{"type":"AWSSignature","region":"r","service":"s"}"#, .missing),
    ])
    func whatCannotBeAppliedIsSaid(document: String, code: CredentialErrorCode) {
        #expect {
            _ = try Fixture.injector(try Fixture.authentication(document), [:])
        } throws: { ($0 as? CredentialError)?.code == code }
    }
}
