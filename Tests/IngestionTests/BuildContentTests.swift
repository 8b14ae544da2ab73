import Domain
import Ingestion
import Testing

struct BuildContentTests {
    private static let files = #"{"agent.py":"def handler(r, c=None): return 1","tools/a.py":"X = 1"}"#

    private func content(
        _ name: String = "My Agent", _ files: String = files, entryPoint: String? = nil, requirements: String? = nil,
        found: FoundStart? = nil, recipe: String? = nil
    ) throws -> BuildContent {
        try BuildContent(
            name: name, files: SourceFiles(try JSONValue(parsing: Array(files.utf8)), field: "files"),
            entryPoint: entryPoint, requirements: requirements, framework: nil, found: found, recipe: { _ in recipe })
    }

    @Test func theSameContentHasTheSameImageInWhateverOrderItIsSent() throws {
        let turned = #"{"tools/a.py":"X = 1","agent.py":"def handler(r, c=None): return 1"}"#
        let image = try content().image
        #expect(image.hasPrefix("localhost/sluice/my-agent:"))
        #expect(try content("My Agent", turned).image == image)
    }

    @Test func anyOtherContentHasAnotherImage() throws {
        let others = [
            try content(), try content(recipe: "FROM other"), try content(requirements: "requests"),
            try content(entryPoint: "agent.py"), try content(found: FoundStart(requirements: ["six"])),
            try content(found: FoundStart(entryPoint: "tools/a.py")),
            try content("My Agent", #"{"agent.py":"def handler(r, c=None): return 2","tools/a.py":"X = 1"}"#),
            try content("My Agent", #"{"agent.py":"def handler(r, c=None): return 1","tools/b.py":"X = 1"}"#),
        ]
        #expect(Set(others.map(\.image)).count == others.count)
    }

    @Test func whatIsFoundHasTheImageOfTheSameThatIsNamed() throws {
        let found = FoundStart(requirements: ["rich", "six"], entryPoint: "agent.py")
        let named = try content(entryPoint: "agent.py", requirements: "rich\nsix")
        #expect(try content(found: found).image == named.image)
        #expect(try FoundStart(content(found: found).document.value[FoundStart.member]) == found)
    }

    @Test(arguments: [
        (#"{}"#, "at least one file"), (#"[]"#, "must be an object"), (#"null"#, "files is required"),
        (#"{"../x.py":""}"#, "relative path"), (#"{"/x.py":""}"#, "relative path"),
        (#"{"a.py":1}"#, "a.py must be a string"),
    ])
    func filesThatCannotBeAreRefusedByName(_ files: String, _ reason: String) throws {
        let refusal = #expect(throws: (any Error).self) { try content("a", files) }
        #expect("\(String(describing: refusal))".contains(reason))
    }

    @Test func anEntryPointThatIsNotThereIsRefused() throws {
        #expect(throws: InvalidSources.self) { try content(entryPoint: "other.py") }
        #expect(throws: InvalidSources.self) { try content(entryPoint: "tools.b") }
        _ = try content(entryPoint: "tools.a")
    }

    @Test func aNameWithoutALetterIsRefused() {
        #expect(throws: InvalidSources.self) { try content("—!") }
    }
}
