import Fuzzing
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Outbound
import Testing

struct HostileResponseTests {
    private func response(_ text: String, to method: String = "GET", bodyBytesMax: Int = 1000) throws
        -> GuardedConnection
    {
        let connection = try GuardedConnection()
        connection.send(
            try OutboundRequest(method, "http://example.com/", limits: OutboundLimits(bodyBytesMax: bodyBytesMax)))
        connection.receive(text.utf8)
        return connection
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.0 404 Not Found\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 599 X\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n1;x=y\r\no\r\n1\r\nk\r\n0\r\nTrailer: x\r\n\r\n",
        "HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n",
    ])
    func aResponseThatKeepsTheProtocolIsWhole(text: String) throws {
        let connection = try response(text)
        #expect(connection.isWhole && connection.isInOrder && connection.recorder.errors.isEmpty)
    }

    @Test func theEndOfTheConnectionEndsABodyWithoutLength() throws {
        let connection = try response("HTTP/1.0 200 OK\r\n\r\nok")
        #expect(!connection.isWhole)
        try connection.channel.close().wait()
        #expect(connection.isWhole && connection.isInOrder)
    }

    @Test(arguments: [
        "HTTP/1.1 099 X\r\n\r\n", "HTTP/1.1 000 X\r\n\r\n", "HTTP/1.1 001 X\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 600 X\r\n\r\n", "HTTP/1.1 999 X\r\n\r\n", "HTTP/1.1 1000 X\r\n\r\n", "HTTP/1.1 20 X\r\n\r\n",
        "HTTP/1.1 -20 X\r\n\r\n", "HTTP/1.1 101 Switching\r\n\r\n",
        "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nbytes", "HTTP/1.1 102 X\r\n\r\n",
        "HTTP/1.1 199 X\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/0.9 200 OK\r\n\r\n", "HTTP/1.2 200 OK\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\0\0\u{12}\u{4}\0\0\0\0\0\0\u{3}\0\0\0d", "\u{16}\u{3}\u{1}",
        "hello\r\n\r\n",
        "ICY 200 OK\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", " HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok", "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 200 OK\r\n: empty\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA B: c\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
    ])
    func aResponseThatBreaksTheProtocolFailsItsCall(text: String) throws {
        let connection = try response(text)
        guard case .malformed? = connection.failure else {
            Issue.record("\(connection.recorder.parts) \(connection.recorder.errors)")
            return
        }
        #expect(!connection.isWhole && connection.isInOrder && !connection.channel.isActive)
    }

    @Test func aFloodOfInterimResponsesFailsTheCall() throws {
        let flood = String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 9)
        let connection = try response(flood + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        #expect(connection.status == nil && connection.failure != nil)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nX: " + String(repeating: "a", count: 70_000),
        "HTTP/1.1 200 OK\r\n" + String(repeating: "X-\(String(repeating: "n", count: 300)): v\r\n", count: 230),
        "HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 300) + "\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + String(repeating: "x", count: 70_000),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + String(repeating: "a", count: 70_000),
    ])
    func aHeadWithoutEndFailsTheCall(text: String) throws {
        let connection = try response("")
        var rest = text[...]
        while !rest.isEmpty {
            connection.receive(rest.prefix(4096).utf8)
            rest = rest.dropFirst(4096)
        }
        #expect(connection.failure != nil && !connection.isWhole && connection.isInOrder)
    }

    @Test func aBodyBeyondTheLimitFailsTheCall() throws {
        let connection = try response(
            "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901", bodyBytesMax: 10)
        #expect(connection.failure == .tooLarge(bytesMax: 10) && !connection.isWhole)
    }

    @Test func aSecondResponseIsNotTakenForTheNextRequests() throws {
        let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        let connection = try response(ok + ok)
        #expect(connection.isInOrder && connection.recorder.parts.count == 3 && !connection.channel.isActive)
    }

    @Test func bytesBetweenResponsesCloseTheConnection() throws {
        let connection = try response("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        #expect(connection.channel.isActive)
        connection.receive("HTTP/1.1 408 Timeout\r\n\r\n".utf8)
        #expect(!connection.channel.isActive && connection.recorder.parts.count == 3)
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200", "H"])
    func bytesBeforeTheRequestCloseTheConnection(bytes: String) throws {
        let connection = try GuardedConnection()
        connection.receive(bytes.utf8)
        #expect(!connection.channel.isActive && connection.recorder.parts.isEmpty)
    }

    @Test func aResponseThatNeverEndsTimesOut() throws {
        let connection = try GuardedConnection()
        connection.send(
            try OutboundRequest("GET", "http://example.com/", limits: OutboundLimits(totalTimeout: .seconds(60))))
        connection.receive("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n".utf8)
        for _ in 0..<59 {
            connection.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
            connection.receive("x".utf8)
        }
        #expect(connection.failure == nil)
        connection.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(connection.failure == .timedOut("the end of the response") && !connection.channel.isActive)
    }

    @Test(arguments: [60, 10, 90])
    func eachRequestOfAConnectionHasItsOwnTime(seconds: Int64) throws {
        let connection = try GuardedConnection()
        let loop = connection.channel.embeddedEventLoop
        func send(_ timeout: Duration) throws {
            connection.send(
                try OutboundRequest("GET", "http://example.com/", limits: OutboundLimits(totalTimeout: timeout)))
        }
        try send(.seconds(60))
        connection.receive("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8)
        loop.advanceTime(by: .seconds(30))
        try send(.seconds(seconds))
        loop.advanceTime(by: .seconds(seconds) - .nanoseconds(1))
        #expect(connection.recorder.errors.isEmpty)
        loop.advanceTime(by: .nanoseconds(1))
        #expect(connection.failure == .timedOut("the end of the response") && !connection.channel.isActive)
    }

    @Test func aWholeResponseHasNoDeadline() throws {
        let connection = try response("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        connection.channel.embeddedEventLoop.advanceTime(by: .hours(30))
        #expect(connection.recorder.errors.isEmpty && connection.channel.isActive)
    }
}
