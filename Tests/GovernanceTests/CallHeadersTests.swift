import Domain
import Governance
import Testing

/// The headers of a call: which go to the tool, in which form, and what their digest is of.
@Suite struct CallHeadersTests {
    private static func tool(_ members: String = "") throws -> GovernedTool {
        try GovernedTool(
            name: "x", spec: try Fixture.json(#"{"connection":{"baseUrl":"https://api.x.com"\#(members)}}"#))
    }

    private static func headers(
        _ given: [(String, String)], _ tool: GovernedTool? = nil
    ) throws -> CallHeaders {
        try CallHeaders(given.map { (name: $0.0, value: $0.1) }, for: try tool ?? Self.tool())
    }

    private static func pairs(_ lines: [CallHeaders.Line]) -> [String] { lines.map { "\($0.name)=\($0.value)" } }

    @Test func orderCaseAndBlanksAroundAValueMakeOneForm() throws {
        let one = try Self.headers([("Content-Type", "a/b"), ("ACCEPT", "c/d")])
        let other = try Self.headers([("accept", "\t c/d "), ("content-type", "a/b")])
        #expect(Self.pairs(one.bound) == ["accept=c/d", "content-type=a/b"])
        #expect(one == other && one.digest.matches(other.digest))
        #expect(one.shown.text == #"{"accept":"c/d","content-type":"a/b"}"#)
    }

    @Test func severalLinesOfAListAreOneInTheirOrder() throws {
        let headers = try Self.headers([("Accept", "a/b"), ("accept", ""), ("Accept", "c/d")])
        #expect(Self.pairs(headers.bound) == ["accept=a/b, c/d"])
    }

    @Test(arguments: ["content-type", "if-range", "range", "x-own", "user-agent", "x-request-id"])
    func aHeaderThatIsNoListIsRefusedWhenItComesTwice(name: String) throws {
        let tool = try Self.tool(#","headers":["X-Own"]"#)
        #expect(throws: InvalidHeader.self) { try Self.headers([(name, "a"), (name.uppercased(), "a")], tool) }
    }

    @Test(arguments: ["ü", "a\u{7f}", "a\u{1}b"])
    func aValueWithOtherCharactersThanVisibleOnesIsRefused(value: String) {
        #expect(throws: InvalidHeader.self) { try Self.headers([("accept", value)]) }
    }

    @Test func longHeadersAreRefused() {
        let long = String(repeating: "a", count: CallHeaders.bytesMax)
        #expect(throws: InvalidHeader.self) { try Self.headers([("accept", long)]) }
    }

    @Test(arguments: ["Range", "If-Range", "X-MS-Range", "range"])
    func noPieceIsAskedOfAToolWithCredentials(name: String) throws {
        let keyed = try Self.tool(#","headers":["X-MS-Range"],"authentication":{"type":"APIKey"}"#)
        let open = try Self.tool(#","headers":["X-MS-Range"]"#)
        let given = [(name, "bytes=0-1"), (name, "bytes=2-3"), ("Accept", "a/b")]
        #expect(Self.pairs(try Self.headers(given, keyed).bound) == ["accept=a/b"])
        #expect(Self.pairs(try Self.headers(Array(given.dropFirst()), open).bound).count == 2)
    }

    @Test(arguments: [
        "X-Own", "X_Own", "Forwarded", "X-Forwarded-For", "X-Original-URL", "X-Rewrite-URL", "X-Real-IP", "Via",
        "X-HTTP-Method-Override", "X-End-User-ID", "X_End_User_ID", "X-Run-ID", "Idempotency-Key", "Authorization",
        "Cookie", "Host", "Content-Length", "Transfer-Encoding", "Connection", "TE", "X-Amz-Target", "Remote-User",
    ])
    func whatNoListNamesIsDropped(name: String) throws {
        let headers = try Self.headers([(name, "a"), ("Accept", "b/c")])
        #expect(Self.pairs(headers.bound) == ["accept=b/c"] && headers.unbound.isEmpty)
    }

    @Test func whatDiffersBetweenAttemptsIsSentAndNotBound() throws {
        let (one, other) = (
            try Self.headers([("User-Agent", "a"), ("X-Request-Id", "1"), ("Accept", "b/c")]),
            try Self.headers([("Traceparent", "t"), ("X-Tool-Turn", "2"), ("Accept", "b/c")])
        )
        #expect(Self.pairs(one.unbound) == ["user-agent=a", "x-request-id=1"])
        #expect(one.digest.matches(other.digest) && one.shown == other.shown)
    }

    @Test func aDocumentsOwnHeadersAreBound() throws {
        let tool = try Self.tool(#","headers":["X-Own","User-Agent"]"#)
        let headers = try Self.headers([("x-own", "1"), ("user-agent", "a"), ("x-other", "2")], tool)
        #expect(Self.pairs(headers.bound) == ["user-agent=a", "x-own=1"])
    }

    @Test func theOperationOfAnAWSServiceIsBoundWhereCallsAreSignedForIt() throws {
        let signed = try Self.tool(#","authentication":{"type":"AWSSignature"}"#)
        let (describe, delete) = (
            try Self.headers([("X-Amz-Target", "DescribeTable")], signed),
            try Self.headers([("X-Amz-Target", "DeleteTable")], signed)
        )
        #expect(Self.pairs(describe.bound) == ["x-amz-target=DescribeTable"])
        #expect(!describe.digest.matches(delete.digest))
        #expect(try Self.headers([("X-Amz-Security-Token", "own"), ("X-Amz-Date", "d")], signed).bound.isEmpty)
    }

    @Test func theHeaderOfAToolsKeyIsTheGatesAlone() throws {
        let key = #","authentication":{"type":"APIKey","apiKeyConfig":{"in":"Header","name":"Prefer"}}"#
        #expect(try Self.headers([("prefer", "own")], try Self.tool(key)).bound.isEmpty)
        #expect(throws: InvalidDocument.self) { try Self.tool(key + #","headers":["prefer"]"#) }
    }

    @Test func whatAConnectionHeaderNamesStaysWithTheConnection() throws {
        let headers = try Self.headers([("Connection", "keep-alive, Accept"), ("Accept", "a"), ("Prefer", "b")])
        #expect(Self.pairs(headers.bound) == ["prefer=b"])
    }

    @Test(arguments: [
        "X_Own", "", "X Own", "X-Öwn", "X.Own", "Host", "connection", "Transfer-Encoding", "Proxy-Authorization",
        "Forwarded", "X-Forwarded-Host", "X-Real-IP", "X-Original-URL", "X-Rewrite-URL", "Via", "True-Client-IP",
        "X-HTTP-Method", "X-Method-Override", "X-End-User-ID", "X-Run-ID", "Idempotency-Key", "Sluice-Position",
        "Authorization", "Cookie", "X-API-Key", "X-Amz-Security-Token", "X-RunAgents-API-Key", "Remote-User",
        "X-Auth-Request-Email", "X-MS-Client-Principal", "X-SSL-Client-DN",
    ])
    func aDocumentMayNotNameWhatIsNeverSent(name: String) {
        #expect(throws: InvalidDocument.self) { try Self.tool(#","headers":["\#(name)"]"#) }
    }

    /// A document that lets agents choose identities lets them choose no credentials, and no user of Sluice's.
    @Test(arguments: ["Authorization", "Cookie", "X-End-User-ID", "X-Workspace-Namespace", "Proxy-Authorization"])
    func aDocumentMayNotNameItAsAnIdentityEither(name: String) {
        #expect(throws: Never.self) { try Self.tool(#","identityHeaders":["X-Tenant"]"#) }
        #expect(throws: InvalidDocument.self) { try Self.tool(#","identityHeaders":["\#(name)"]"#) }
    }

    /// Recorded in logs and signed by approvers, so it must not change; taken from another implementation.
    @Test func theDigestIsOfLengthsAndBytes() throws {
        #expect(
            try Self.headers([]).digest.text
                == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            try Self.headers([("Accept", "a/b"), ("Content-Type", "c/d; e=f")]).digest.text
                == "sha256:70c53e4ae45b2813099e961d4364f5944debc80dc5e3d9e75dbd8f6deef6e3ff")
        let (one, other) = (try Self.headers([("accept", "prefer")]), try Self.headers([("prefer", "accept")]))
        #expect(!one.digest.matches(other.digest))
    }
}
