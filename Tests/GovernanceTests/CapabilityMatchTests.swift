import Domain
import Governance
import Testing

@Suite struct CapabilityMatchTests {
    private func find(_ method: String, _ path: String, _ capabilities: String) throws -> CapabilityMatch? {
        let tool = try Fixture.tool(#","capabilities":[\#(capabilities)]"#)
        let place = try #require(tool.place(of: try NormalizedURL("https://api.x.com" + path)))
        return CapabilityMatch.find(method, at: place, in: tool.capabilities)
    }

    @Test(arguments: [
        ("/v1/charges", "/v1/charges", true), ("/v1/charges", "/v1/charges/7", true),
        ("/v1/charges", "/v1/charges2", false), ("/v1/charges", "/v1", false), ("/v1/charges/", "/v1/charges", true),
        ("/v1/*", "/v1/a/b", true), ("/v1/ch*", "/v1/charges/7", true), ("/v1/ch*", "/v1/refunds", false),
        ("/users/*/posts", "/users/7/posts", true), ("/users/*/posts", "/users/posts", false),
        ("/users/*/posts", "/users/7/likes", false), ("/f/*.json", "/f/a.json", true), ("/f/*.json", "/f/a.xml", false),
        ("/f/a*a", "/f/aba", true), ("/f/a*a", "/f/a", false),
        ("*", "/anything", true), ("/", "/anything", true), ("/%761", "/v1", true), ("/v1", "/V1", false),
        ("/public/*", "/public/..%2Fadmin", false), ("/public", "/public;%2F..%2Fadmin", false),
        ("/public", "/public/a%2Fb", true),
    ])
    func aPathIsTheNamedOneOrBelowIt(pattern: String, path: String, matches: Bool) throws {
        #expect(try (find("GET", path, #"{"method":"GET","path":"\#(pattern)"}"#) != nil) == matches)
    }

    @Test func aMethodInLowerCaseIsTheSameMethod() throws {
        #expect(try find("post", "/v1", #"{"method":"POST","path":"/v1"}"#) != nil)
        #expect(try find("post", "/v1", #"{"method":"GET","path":"/v1"}"#) == nil)
    }

    @Test(arguments: ["http://api.x.com:443/v1", "https://api.x.com:444/v1", "https://api.x.co/v1"])
    func aURLOfAnotherOriginIsNoPlaceOfATool(url: String) throws {
        #expect(try Fixture.tool().place(of: NormalizedURL(url)) == nil)
    }

    /// G5: what is below the base URL for one way of reading is so for every way.
    @Test(
        arguments: ["/b", "//b", "///b", "/b%2Fc", "/b;v=1", "/b%3Fc", "//", "/%62%252Fc", "/b%2F%2E%2E%2Fc"],
        [
            "/..;/admin", "/..%5cadmin", "/..%2fadmin", "/%2e%2e;/admin", "/x/..;/..;/admin", "/..%252fadmin",
            "/x%3F/..%2f..%2fadmin", "/..%2f..%2fadmin", "/..;/..;/..;/admin",
        ])
    func noReadingOfACallLeavesItsToolsPlace(base: String, path: String) throws {
        let tool = try GovernedTool(
            name: "x", spec: Fixture.json(#"{"connection":{"baseUrl":"https://api.x.com\#(base)"}}"#))
        let isWhole = base == "//"
        #expect(try (tool.place(of: NormalizedURL(tool.url(below: path))) != nil) == isWhole)
        #expect(try tool.place(of: NormalizedURL(tool.url(below: "/items/1"))) != nil)
    }

    /// The same of capabilities.
    @Test(arguments: ["/..;/admin", "/..%5cadmin", "/..%2fadmin", "/%2e%2e;/admin"])
    func noReadingOfACallLeavesItsCapability(path: String) throws {
        for pattern in ["/b", "//b", "/b/*", "//b/*"] {
            #expect(try find("GET", "//b" + path, #"{"method":"GET","path":"\#(pattern)"}"#) == nil)
        }
        #expect(try find("GET", "//b/items", #"{"method":"GET","path":"//b/*"}"#) != nil)
    }

    /// Tags and grants of a capability are for its calls alone, however a server reads their paths.
    @Test(
        arguments: ["/ADMIN", "/admin;x", "/x%2F..%2Fadmin", "/admin%2Fusers", "/%2561dmin", "//host/admin", "/admin."])
    func aCallThatServersMayReadAsAnotherCapabilityIsNone(path: String) throws {
        let declared = [#"{"name":"all","path":"/*"}"#, #"{"name":"admin","path":"/admin","riskTags":["dangerous"]}"#]
        for order in [declared, declared.reversed()] {
            #expect(try find("GET", path, order.joined(separator: ",")) == nil)
        }
        #expect(try find("GET", path, declared[0])?.capability?.name == "all")
        let other = declared[0] + #",{"name":"admin","method":"DELETE","path":"/admin"}"#
        #expect(try find("GET", path, other)?.capability?.name == "all")
    }

    @Test(arguments: ["/Users/7", "/files/a%2Fb", "/a;v=1", "/a//b", "/admins"])
    func aPathWithSeveralReadingsOfOneCapabilityIsThat(path: String) throws {
        let declared = #"{"name":"all","path":"/*"},{"name":"admin","path":"/admin"},{"name":"x","path":"/x/*/y"}"#
        #expect(try find("GET", path, declared)?.capability?.name == "all")
    }

    @Test func ofSeveralTheClosestIsTheOne() throws {
        let declared = #"""
            {"name":"all","path":"/v1"},{"name":"any","path":"/v1/charges"},
            {"name":"post","method":"post","path":"/v1/charges"},{"name":"later","method":"POST","path":"/v1/charges"}
            """#
        #expect(try find("POST", "/v1/charges", declared)?.capability?.name == "post")
        #expect(try find("GET", "/v1/charges", declared)?.capability?.name == "any")
        #expect(try find("GET", "/v1/refunds", declared)?.capability?.name == "all")
        #expect(try find("GET", "/v2", declared) == nil)
    }

    @Test func noneDeclaredIsEveryCall() throws {
        let match = try #require(try find("POST", "/a", ""))
        #expect(match.capability == nil && !match.isSafeToRepeat && !match.takesIdempotencyKey)
    }

    @Test(arguments: [
        ("GET", "", true), ("HEAD", "", true), ("POST", "", false), ("PUT", "", false), ("DELETE", "", false),
        ("POST", #","idempotent":true"#, true), ("PUT", #","safe":true"#, true),
        ("GET", #","idempotent":false"#, false),
    ])
    func whatIsSafeToRepeatIsReadOrMarked(method: String, mark: String, isSafe: Bool) throws {
        #expect(try find(method, "/a", #"{"path":"/a"\#(mark)}"#)?.isSafeToRepeat == isSafe)
    }

    @Test func aToolMaySayThatItTakesTheIdempotencyKey() throws {
        #expect(try find("POST", "/a", #"{"path":"/a","idempotencyKey":true}"#)?.takesIdempotencyKey == true)
    }
}
