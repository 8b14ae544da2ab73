import Governance
import Testing

@Suite struct NormalizedURLTests {
    @Test(arguments: [
        ("https://API.X.com", "https://api.x.com/"),
        ("HTTPS://api.x.com.:443/a", "https://api.x.com/a"),
        ("http://api.x.com:80/a", "http://api.x.com/a"),
        ("http://api.x.com:8080/a", "http://api.x.com:8080/a"),
        ("https://x.com/a/../admin", "https://x.com/admin"),
        ("https://x.com/a/./b/..", "https://x.com/a/"),
        ("https://x.com/../../a", "https://x.com/a"),
        ("https://x.com/%61dm%69n", "https://x.com/admin"),
        ("https://x.com/%2e%2E/a", "https://x.com/a"),
        ("https://x.com/a%2fb", "https://x.com/a%2Fb"),
        ("https://x.com/a//b", "https://x.com/a//b"),
        ("https://x.com/ü", "https://x.com/%C3%BC"),
        ("https://x.com/a?q=%7e%3d#f", "https://x.com/a?q=~%3D"),
        ("https://x.com?q", "https://x.com/?q"),
        ("http://127.1/", "http://127.0.0.1/"), ("http://0x7f.0.0.1/", "http://127.0.0.1/"),
        ("http://2130706433/", "http://127.0.0.1/"), ("http://0177.0.0.01/", "http://127.0.0.1/"),
        ("http://[0:0:0:0:0:0:0:1]/", "http://[::1]/"), ("http://[::ffff:127.0.0.1]:81/", "http://[::ffff:7f00:1]:81/"),
    ])
    func everySpellingHasOneForm(text: String, normal: String) throws {
        #expect(try NormalizedURL(text).text == normal)
        #expect(try NormalizedURL(normal).text == normal)
    }

    @Test(arguments: [
        "", "x.com/a", "ftp://x.com/", "https:/x.com", "https:///a", "https://u:p@x.com/", "https://x.com\\@evil.com/",
        "https://x.com:0/", "https://x.com:65536/", "https://x.com:8a/", "https://ex%61mple.com/", "https://a..b/",
        "https://x.com/a b", "https://x.com/\u{9}", "https://x.com/%00", "https://x.com/%2500", "https://x.com/%zz",
        "https://x.com/%4", "http://256.0.0.1/", "http://1.2.3.4.5/", "http://[::1",
        "http://[1.2.3.4]/",
        "https://x.com/%FF", "https://x.com/a/%c0%af/b", "https://x.com/%ed%a0%80", "https://x.com/%25FF",
        "https://x.com/a\\b", "https://x.com/\\..\\b",
        "http://[fe80::1%25eth0]/", "https://bücher.example/", "https://x.com/%252525252561",
        "https://x.com/" + String(repeating: "a", count: NormalizedURL.bytesMax),
    ])
    func whatCouldBeReadInTwoWaysIsRefused(text: String) {
        #expect(throws: InvalidURL.self) { try NormalizedURL(text) }
    }

    @Test(arguments: [
        "https://x.com/%C3%BC", "https://x.com/%F0%9F%92%A7", "https://x.com/a?q=%FF", "https://x.com/%5C",
    ])
    func escapesOfTextAreKept(text: String) throws { #expect(try NormalizedURL(text).text == text) }
}
