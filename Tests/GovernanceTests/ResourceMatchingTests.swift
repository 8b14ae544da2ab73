import Domain
import Governance
import Testing

/// What a rule's resource covers, and that no spelling of a URL gets around one that denies.
@Suite struct ResourceMatchingTests {
    private func permission(
        _ url: String, denied: String, allowed: String = "*", tool: GovernedTool? = nil
    ) throws -> PolicyPermission {
        let policies = Fixture.bound(try Fixture.rule(.allow, allowed), try Fixture.rule(.deny, denied))
        let tool = try tool ?? Fixture.tool()
        return PolicyEvaluation.decide(call: Fixture.call("GET", url), tool: tool, policies: policies).permission
    }

    static let spellings = [
        "/admin", "/admin/", "/admin/x", "/a/../admin", "/./admin", "/%61dmin", "/%61dmin/x", "//admin", "/a/..//admin",
        "/ADMIN", "/Admin/x", "/admin.", "/admin./x", "/admin%20/x", "/admin;v=1/x", "/..;/admin", "/a/..;/admin",
        "/a%2f..%2fadmin", "/a%2F%2e%2e%2Fadmin/x", "/%2fadmin", "/a%5c..%5cadmin", "/\\admin", "/%2561dmin",
        "/a%252f..%252fadmin", "/admin?x=1", "/admin%3Fx", "/a%3f%2f..%2fadmin", "/admin%23",
        "/x%2F..%2Fadmin%252F..%252Fb",
        "/admin/..;/x", "/admin/.;/..;v=1/x", "/admin%2F..;%2Fx", "/admin/x/..;/..;/b", "/admin%5c..;%5cx",
    ]

    @Test(arguments: spellings)
    func noSpellingOfAPathDodgesADeny(path: String) throws {
        for origin in ["https://api.x.com", "https://API.X.COM.", "HTTPS://api.x.com:443"] {
            #expect(try permission(origin + path, denied: "https://api.x.com/admin*") == .deny)
        }
    }

    /// One URL, without a `*` that its readings could begin with.
    @Test(arguments: [
        "/admin", "/admin/", "/ADMIN", "/admin.", "/admin%20", "/admin;v=1", "/admin%3Fx", "/admin%23", "/%2561dmin",
        "/a%2f..%2fadmin",
    ])
    func noSpellingOfOneURLDodgesADeny(path: String) throws {
        #expect(try permission("https://api.x.com" + path, denied: "https://api.x.com/admin") == .deny)
    }

    @Test(arguments: spellings.filter { $0 != "/admin" })
    func aPathOfTwoReadingsIsNotAllowedByOneOfThem(path: String) throws {
        let policies = Fixture.bound(try Fixture.rule(.allow, "https://api.x.com/a/*"))
        let verdict = PolicyEvaluation.decide(
            call: Fixture.call("GET", "https://api.x.com" + path), tool: try Fixture.tool(), policies: policies)
        #expect(verdict.permission == .deny)
    }

    @Test(arguments: ["/..;/admin", "/..%5cadmin", "/..%2fadmin", "/%2e%2e;/admin"])
    func noReadingLeavesAnAllowedPlaceThatBeginsWithTwoSlashes(path: String) throws {
        func decide(_ path: String) throws -> PolicyPermission {
            let policies = Fixture.bound(try Fixture.rule(.allow, "https://api.x.com//b/*"))
            return PolicyEvaluation.decide(
                call: Fixture.call("GET", "https://api.x.com//b" + path), tool: try Fixture.tool(), policies: policies
            ).permission
        }
        #expect(try decide(path) == .deny)
        #expect(try decide("/items/1") == .allow)
    }

    @Test(arguments: ["/administration", "/a", "/", "/a/admin", "/adm", "/b?next=/admin"])
    func aDenyIsAboutNothingElse(path: String) throws {
        #expect(try permission("https://api.x.com" + path, denied: "https://api.x.com/admin/*") == .allow)
    }

    @Test(arguments: [
        ("https://api.x.com/v1/charges", "https://api.x.com/v1/charges", true),
        ("https://api.x.com/v1/charges", "https://api.x.com/v1/charges?limit=1", true),
        ("https://api.x.com/v1/charges", "https://api.x.com/v1/charges/1", false),
        ("https://api.x.com/v1/charges", "https://api.x.com/v1/charges/", false),
        ("https://api.x.com/v1/charges", "https://api.x.com/v1/Charges", false),
        ("https://api.x.com/v1/*", "https://api.x.com/v1/a/b%2Fc", true),
        ("https://api.x.com/v1/*", "https://api.x.com/v1", false),
        ("https://api.x.com/v1/ch*", "https://api.x.com/v1/charges", true),
        ("https://api.x.com", "https://api.x.com/anything", true),
        ("https://api.x.com/", "https://api.x.com/anything", false),
        ("https://api.x.com/*", "https://api.x.com/", true),
        ("HTTPS://API.x.com:443/%761/*", "https://api.x.com/v1/a", true),
        ("https://api.x.com/group%2Fproject/*", "https://api.x.com/group%2fproject/x", true),
        ("http://api.x.com/*", "https://api.x.com/a", false), ("http://api.x.com:443/*", "https://api.x.com/a", false),
        ("https://api.x.com.evil.com/*", "https://api.x.com/a", false),
        ("*", "https://api.x.com/a", true),
    ])
    func anAllowCoversWhatItSays(resource: String, url: String, isCovered: Bool) throws {
        let verdict = PolicyEvaluation.decide(
            call: Fixture.call("GET", url), tool: try Fixture.tool(),
            policies: Fixture.bound(try Fixture.rule(.allow, resource)))
        #expect((verdict.permission == .allow) == isCovered)
    }

    @Test func aDenyForOneSchemeHoldsForTheOther() throws {
        let tool = try Fixture.tool(base: "http://api.x.com")
        #expect(try permission("http://api.x.com/admin", denied: "https://api.x.com/admin", tool: tool) == .deny)
        let other = try Fixture.tool(base: "http://api.x.com:8080")
        #expect(try permission("http://api.x.com:8080/admin", denied: "https://api.x.com/admin", tool: other) == .allow)
    }

    @Test(arguments: [
        "api.x.com/*", "https://*.x.com/*", "https://api.x.com*", "https://x/a/*/b", "https://x/a?b=*", "https://x/a#b",
        "https://x/a/../b*", "https://x/%2e%2e/b", "ftp://x/*", "", "**",
    ])
    func aResourceThatCannotBeMeantIsRefused(text: String) {
        #expect(throws: InvalidURL.self) { try ResourcePattern(text) }
    }
}
