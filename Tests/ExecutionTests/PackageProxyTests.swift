import Execution
import Testing

@Suite struct PackageProxyTests {
    private func hosts(_ listing: String) -> [String] {
        InstallerSettings(listing: listing).hosts.map(\.description).sorted()
    }

    @Test func reachesTheDefaultIndexWhenNoOtherIsConfigured() {
        #expect(hosts("") == ["files.pythonhosted.org:443", "pypi.org:443"])
        #expect(hosts(":env:.find-links='/srv/wheels'\n") == ["files.pythonhosted.org:443", "pypi.org:443"])
    }

    @Test func reachesTheConfiguredIndexesAndNoOther() {
        let listing = """
            :env:.extra-index-url='http://127.0.0.1:3141/simple https://Wheels.Example.com'
            global.cert='/etc/ssl/certs/ca-certificates.crt'
            global.index-url='https://user:p@ss@index.example.com:8443/simple'
            install.find-links='/srv/wheels\\nhttps://links.example.com/page.html'
            """
        #expect(
            hosts(listing) == [
                "127.0.0.1:3141", "index.example.com:8443", "links.example.com:443", "wheels.example.com:443",
            ])
        #expect(hosts("global.no-index='true'\nglobal.find-links='http://[::1]:80/x'") == ["[::1]:80"])
    }

    @Test func findsTheProxyOfTheSettings() {
        #expect(InstallerSettings(listing: "global.proxy='http://proxy:3128'").proxy == "http://proxy:3128")
        #expect(InstallerSettings(listing: "").proxy == nil)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 Connection established\r\n\r\n", true), ("HTTP/1.0 200\r\nVia: x\r\n\r\nrest", true),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", false), ("HTTP/1.1 100 Continue\r\n\r\n", false),
        ("HTTP/1.1 2000 X\r\n\r\n", false), ("nonsense\r\n\r\n", false), ("HTTP/1.1 200 OK\r\n", nil),
    ])
    func aTunnelIsOpenOnceTheProxyAgrees(reply: String, isTunnel: Bool?) {
        var whole = UpstreamReply()
        #expect(whole.isTunnel(after: reply.utf8) == isTunnel)
        var parts = UpstreamReply()
        let outcomes = reply.utf8.map { parts.isTunnel(after: [$0]) }
        #expect(outcomes.first { $0 != nil } == (isTunnel == nil ? nil : .some(isTunnel)))
    }

    @Test func aReplyWithoutAnEndOpensNoTunnel() {
        var reply = UpstreamReply()
        #expect(reply.isTunnel(after: [UInt8](repeating: 97, count: 20_000)) == false)
    }

    @Test(arguments: [
        "", ":", "host:", "host:0", "host:65536", "host:+1", "host:1:2", "ho st:1", "a/b:1", "[::1", "[::1]x",
        "user@host:1",
        "h\u{e9}:1", "host:1\r",
    ])
    func readsNoHostIn(text: String) {
        #expect(PackageHost(authority: text, port: nil) == nil)
    }

    @Test func readsATunnel() throws {
        let request = try ProxyRequest(head: Array("CONNECT PyPI.org:443 HTTP/1.1\r\nHost: other\r\n\r\n".utf8))
        #expect(request.isTunnel && request.host == PackageHost(name: "pypi.org", port: 443))
        #expect(request.forwardedHead.isEmpty)
        #expect(
            String(decoding: request.head(through: "Basic eDp5"), as: UTF8.self)
                == "CONNECT pypi.org:443 HTTP/1.1\r\nHost: pypi.org:443\r\nProxy-Authorization: Basic eDp5\r\n\r\n")
    }

    @Test func asksTheHostItselfForThePathAlone() throws {
        let head = """
            GET http://index:3141/simple/a?b=c#d HTTP/1.1\r
            Host: elsewhere\r
            Proxy-Authorization: x\r
            Content-Length: 9\r
            Accept: text/html\r
            \r

            """
        let request = try ProxyRequest(head: Array(head.utf8))
        #expect(request.host == PackageHost(name: "index", port: 3141) && !request.isTunnel)
        #expect(
            String(decoding: request.forwardedHead, as: UTF8.self)
                == "GET /simple/a?b=c HTTP/1.1\r\nHost: index:3141\r\nConnection: close\r\nAccept: text/html\r\n\r\n")
        #expect(
            String(decoding: request.head(through: nil), as: UTF8.self).hasPrefix(
                "GET http://index:3141/simple/a?b=c HTTP/1.1\r\n"))
    }

    @Test(arguments: [
        "GET /simple HTTP/1.1", "GET https://index/ HTTP/1.1", "CONNECT index HTTP/1.1", "CONNECT index:443",
        "CONNECT  index:443 HTTP/1.1", "GET http://in dex/ HTTP/1.1", "GET http://index/\u{1} HTTP/1.1",
        "GET http://index/\u{e9} HTTP/1.1", "",
    ])
    func refusesWhatIsNoRequestToAProxy(line: String) {
        #expect(throws: ProxyRequest.Refusal.malformed) { try ProxyRequest(head: Array("\(line)\r\n\r\n".utf8)) }
    }

    @Test(arguments: ["POST", "PUT", "get", "OPTIONS"])
    func readsAndWritesNothing(method: String) {
        #expect(throws: ProxyRequest.Refusal.method) {
            try ProxyRequest(head: Array("\(method) http://index/ HTTP/1.1\r\n\r\n".utf8))
        }
    }

    @Test func findsTheEndOfAHead() {
        let head = Array("GET http://a/ HTTP/1.1\r\n\r\n".utf8)
        #expect(ProxyRequest.headLength(in: head + [1, 2]) == head.count)
        #expect(ProxyRequest.headLength(in: Array(head.dropLast())) == nil)
        #expect(ProxyRequest.headLength(in: []) == nil)
    }

    @Test func goesThroughTheOperatorsProxyUnlessExcepted() throws {
        let proxy = try #require(
            UpstreamProxy(
                url: "http://al%40ice:s3cret@proxy.example.com:3128/", exceptions: "localhost, .corp, 10.0.0.1"))
        #expect(proxy.host.description == "proxy.example.com:3128")
        #expect(proxy.authorization == "Basic YWxAaWNlOnMzY3JldA==")
        #expect(proxy.carries(PackageHost(name: "pypi.org", port: 443)))
        for name in ["localhost", "index.corp", "10.0.0.1"] {
            #expect(!proxy.carries(PackageHost(name: name, port: 443)))
        }
        #expect(UpstreamProxy(url: "socks5://proxy:1080") == nil)
        #expect(UpstreamProxy(url: "proxy:3128")?.authorization == nil)
    }
}
