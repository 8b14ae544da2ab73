import Domain
import Gateways
import Synchronization
import Testing

/// Responses are kept for their owners, and bounded.
@Suite struct StoredResponsesTests {
    /// A clock that a test sets.
    private final class Clock: Sendable {
        private let time = Mutex(ContinuousClock.now)
        var now: ContinuousClock.Instant { time.withLock { $0 } }
        func advance(by duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }
    }

    private static func owner(_ agent: String?, user: String? = nil) throws -> ResponseOwner {
        ResponseOwner(workspace: try #require(WorkspaceName("w")), agent: agent, actor: .gateway, user: user)
    }

    private static func response(
        _ id: String, _ owner: ResponseOwner, provider: String? = nil, text: String = "hello"
    ) throws -> StoredResponse {
        let item = #"{"id":"msg_\#(id)","role":"assistant","content":"\#(text)"}"#
        let response = try JSONValue(parsing: Array(#"{"id":"\#(id)","output":[\#(item)]}"#.utf8))
        let request = try JSONValue(parsing: Array(#"{"input":"a question"}"#.utf8))
        return try #require(StoredResponse(response, to: request, of: owner, at: provider))
    }

    private static func resolved(
        _ text: String, _ store: StoredResponses, _ owner: ResponseOwner, provider: String = "p", keeps: Bool = false
    ) throws -> JSONValue? { try references(text, store, owner, provider: provider, keeps: keeps).body }

    private static func references(
        _ text: String, _ store: StoredResponses, _ owner: ResponseOwner, provider: String = "p", keeps: Bool = true
    ) throws -> ResolvedReferences {
        try ResponseReferences(store, of: owner).resolved(
            JSONValue(parsing: Array(text.utf8)), for: provider, keeps: keeps)
    }

    @Test func aResponseIsFoundByItsOwnerAlone() throws {
        let store = StoredResponses { ContinuousClock.now }
        let (one, other) = (try Self.owner("a", user: "ada"), try Self.owner("a", user: "bob"))
        store.keep(try Self.response("r", one))
        #expect(store.response("r", of: one) != nil && store.response("r", of: other) == nil)
        #expect(store.response(withItem: "msg_r", of: one) != nil)
        #expect(store.response(withItem: "msg_r", of: other) == nil)
        // Providers may give one id to several: none takes it over, nor pushes its owner's response out.
        store.keep(try Self.response("r", other, text: "another"))
        #expect(store.response("r", of: one)?.owner == one && store.response("r", of: other)?.owner == other)
        #expect(store.response(withItem: "msg_r", of: one)?.owner == one)
        #expect(store.response(withItem: "msg_r", of: other)?.owner == other)
    }

    @Test func aResponseIsGoneAfterItsAge() throws {
        let clock = Clock()
        let store = StoredResponses { clock.now }
        let owner = try Self.owner("a")
        store.keep(try Self.response("r", owner))
        clock.advance(by: .seconds(3_601))
        #expect(store.response("r", of: owner) == nil)
        store.keep(try Self.response("s", owner))
        #expect(store.response("s", of: owner) != nil && store.bytes < 1_000, "and its bytes are given back")
    }

    @Test func anOwnerWithManyResponsesLosesItsOwnOldest() throws {
        var limits = StoredResponses.Limits()
        limits.ownerBytesMax = 5_000
        limits.bytesMax = 20_000
        let store = StoredResponses(limits) { ContinuousClock.now }
        let (one, other) = (try Self.owner("a"), try Self.owner("b"))
        store.keep(try Self.response("kept", one))
        for number in 0..<100 { store.keep(try Self.response("r\(number)", other)) }
        #expect(store.response("kept", of: one) != nil && store.response("r99", of: other) != nil)
        #expect(store.response("r0", of: other) == nil && store.bytes <= 6_000)
    }

    @Test func allOwnersTogetherAreBounded() throws {
        var limits = StoredResponses.Limits()
        limits.bytesMax = 10_000
        let store = StoredResponses(limits) { ContinuousClock.now }
        for number in 0..<500 { store.keep(try Self.response("r\(number)", try Self.owner("a\(number)"))) }
        let (first, last) = (try Self.owner("a0"), try Self.owner("a499"))
        #expect(store.bytes <= 10_000)
        #expect(store.response("r499", of: last) != nil && store.response("r0", of: first) == nil)
        store.keep(try Self.response("large", last, text: String(repeating: "x", count: 5_000_000)))
        #expect(store.response("large", of: last) == nil)
    }

    @Test func contentIsForgottenWhenAPersonIsErased() throws {
        let store = StoredResponses { ContinuousClock.now }
        let owner = try Self.owner("a", user: "ada")
        store.keep(try Self.response("here", owner))
        store.keep(try Self.response("there", owner, provider: "p"))
        store.forgetContent()
        #expect(store.response("here", of: owner) == nil && store.response("there", of: owner) != nil)
    }

    @Test func aReferenceToAProvidersResponseGoesToThatProviderAlone() throws {
        let store = StoredResponses { ContinuousClock.now }
        let owner = try Self.owner("a")
        store.keep(try Self.response("r", owner, provider: "p"))
        for body in [
            #"{"input":"b","previous_response_id":"r"}"#, #"{"input":[{"type":"item_reference","id":"msg_r"}]}"#,
            #"{"input":[{"id":"msg_r"}]}"#,
        ] {
            #expect(try Self.resolved(body, store, owner, keeps: true) == nil, "it goes on as it is")
            #expect(throws: UntranslatableRequest.self) { try Self.resolved(body, store, owner) }
            #expect(throws: UntranslatableRequest.self) {
                try Self.resolved(body, store, owner, provider: "q", keeps: true)
            }
            #expect(throws: UntranslatableRequest.self) {
                try Self.resolved(body, store, Self.owner("b"), keeps: true)
            }
        }
    }

    @Test func aResponseThatIsKeptHereContinuesAtAnyProvider() throws {
        let store = StoredResponses { ContinuousClock.now }
        let owner = try Self.owner("a")
        store.keep(try Self.response("r", owner))
        let body = #"{"model":"m","previous_response_id":"r","input":"b"}"#
        let translated = try #require(try Self.resolved(body, store, owner))
        #expect(translated["input"]?.elements.map { $0["content"]?.string } == ["a question", "hello", "b"])
        #expect(translated["previous_response_id"] == .string("r"), "the response repeats it")
        let passedOn = try #require(try Self.resolved(body, store, owner, keeps: true))
        #expect(passedOn["input"] == translated["input"] && passedOn["previous_response_id"] == nil)
    }

    /// Keeps a response of the provider `p`, with two items, and returns the tokens of what a request refers to.
    private static func earlier(_ body: String, usage: String, after earlier: EarlierTurns = EarlierTurns()) throws
        -> EarlierTurns
    {
        let store = StoredResponses { ContinuousClock.now }
        let owner = try Self.owner("a")
        let response = try JSONValue(
            parsing: Array(#"{"id":"r","output":[{"id":"x","a":"12345678"},{"id":"y"}]\#(usage)}"#.utf8))
        let request = try JSONValue(parsing: Array(#"{"input":"1234567812345678"}"#.utf8))
        store.keep(try #require(StoredResponse(response, to: request, after: earlier, of: owner, at: "p")))
        return try references(body, store, owner).earlier
    }

    @Test func theTurnsThatAProviderKeepsAreKnownByTheirUsage() throws {
        let usage = #","usage":{"input_tokens":700,"output_tokens":50,"total_tokens":750}"#
        let cases: [(String, UInt64)] = [
            (#"{"input":"b","previous_response_id":"r"}"#, 750), (#"{"input":"b"}"#, 0),
            // Items have together what the response has, and again when they are repeated.
            (#"{"input":[{"type":"item_reference","id":"x"},{"id":"y"}]}"#, 50),
            (#"{"input":[{"id":"x"},{"id":"x"}]}"#, 100),
            (#"{"input":[{"id":"x"}],"previous_response_id":"r"}"#, 800),
        ]
        for (body, tokens) in cases {
            let earlier = try Self.earlier(body, usage: usage)
            #expect(earlier.told == tokens && earlier.estimated == 0, "\(body)")
        }
    }

    @Test func theTurnsThatAProviderKeepsAreEstimatedWithoutAUsage() throws {
        let first = try Self.earlier(#"{"input":"b","previous_response_id":"r"}"#, usage: "")
        // 4 tokens of the request, and 10 of the output's 38 bytes.
        #expect(first.told == 0 && first.estimated == 14)
        let second = try Self.earlier(#"{"input":"b","previous_response_id":"r"}"#, usage: "", after: first)
        #expect(second.estimated == 28, "and those before them")
    }
}
