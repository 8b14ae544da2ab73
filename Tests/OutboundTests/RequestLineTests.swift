import Fuzzing
import NIOEmbedded
import NIOHTTP1
import Outbound
import Testing

struct RequestLineTests {
    @Test(arguments: [
        ("http://example.com", "/"), ("http://example.com/", "/"), ("http://example.com?a=b", "/?a=b"),
        ("http://example.com/bucket/tmp/%FF", "/bucket/tmp/%FF"), ("https://example.com/a//b/../c", "/a//b/../c"),
        ("http://example.com/%2e%2E/%zz?q=%", "/%2e%2E/%zz?q=%"), ("http://example.com/a?b#c", "/a?b"),
        ("http://example.com/a|b\"<>{}^`", "/a|b\"<>{}^`"), ("http+unix://%2Frun%2Fagent/invoke?x", "/invoke?x"),
    ])
    func theTargetIsSentByteForByte(url: String, target: String) throws {
        let connection = try GuardedConnection()
        connection.send(try OutboundRequest("DELETE", url))
        #expect(try connection.sent.hasPrefix("DELETE \(target) HTTP/1.1\r\n"))
        #expect(connection.failure == nil)
    }

    @Test func theNumberOfTheRequestIsNotSent() throws {
        let connection = try GuardedConnection()
        connection.send(try OutboundRequest("GET", "http://example.com/", headers: [("X-A", "1"), ("X-A", "2")]))
        let sent = try connection.sent
        #expect(!sent.lowercased().contains(ExpectedRequest.headerName))
        #expect(sent.contains("X-A: 1\r\nX-A: 2\r\n"))
    }

    @Test(
        arguments: [
            { (head: inout HTTPRequestHead) in head.method = .DELETE },
            { head in head.headers.replaceOrAdd(name: "X-Amz-Target", value: "DeleteTable") },
            { head in head.headers.remove(name: "X-Amz-Target") },
            { head in head.headers.add(name: "X-Original-URL", value: "/admin") },
            { head in head.headers.remove(name: ExpectedRequest.headerName) },
            { head in head.headers.add(name: ExpectedRequest.headerName, value: "7") },
            { head in head.headers.replaceOrAdd(name: ExpectedRequest.headerName, value: "4000") },
            { head in head.version = .http1_0 },
        ] as [@Sendable (inout HTTPRequestHead) -> Void])
    func aRequestThatDiffersIsNotSent(change: @Sendable (inout HTTPRequestHead) -> Void) throws {
        let connection = try GuardedConnection()
        connection.send(
            try OutboundRequest("POST", "http://example.com/", headers: [("X-Amz-Target", "DescribeTable")]), as: change
        )
        #expect(try connection.sent == "")
        guard case .altered? = connection.failure else {
            Issue.record("\(connection.recorder.errors)")
            return
        }
        #expect(!connection.channel.isActive)
    }

    @Test func aRequestIsSentOnce() throws {
        let connection = try GuardedConnection()
        let request = try OutboundRequest("GET", "http://example.com/")
        connection.send(request)
        connection.receive("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8)
        _ = try connection.sent
        connection.send(request) { $0.headers.replaceOrAdd(name: ExpectedRequest.headerName, value: "1") }
        #expect(try connection.sent == "")
        #expect(connection.failure != nil)
    }

    @Test(arguments: [
        "", "example.com", "ftp://example.com/", "http://", "http:///x", "http://user@example.com/",
        "http://example.com/ä",
        "http://example.com/a b", "http://example.com/\r\nX: y", "http://example.com/\u{7f}", "http://example.com:0/",
        "http://example.com:99999/", "http://1.2.3.4.5/", "http://exämple.com/",
    ])
    func aURLThatNoRequestLineCanHaveIsRefused(url: String) {
        #expect(throws: OutboundError.self) { try OutboundRequest("GET", url) }
    }

    @Test(arguments: ["", "GET /", "G\r\nX", "CONNECT", "gét", "A:B"])
    func aMethodThatIsNoTokenIsRefused(method: String) {
        #expect(throws: OutboundError.self) { try OutboundRequest(method, "http://example.com/") }
    }

    @Test func escapingKeepsWhatMayStand() throws {
        #expect(OutboundURL.escaping("http://x/a b/ä?%20=ü") == "http://x/a%20b/%C3%A4?%20=%C3%BC")
        #expect(OutboundURL.escaping("http://x/%FF?a=b&c") == "http://x/%FF?a=b&c")
    }
}
