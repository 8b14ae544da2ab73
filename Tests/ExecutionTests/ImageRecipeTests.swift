import Domain
import Execution
import Testing

struct ImageRecipeTests {
    private func lines(_ document: String) throws -> [Substring] {
        let definition = try AgentDefinition(document: try JSONValue(parsing: Array(document.utf8)))
        return ImageRecipe(definition, base: "base:1", runtime: "runagents==1.4.2").dockerfile.split(separator: "\n")
    }

    @Test func packagesAreArgumentsThatNoShellReads() throws {
        let all = try lines(
            #"{"source_files":{"agent.py":""},"requirements":"requests>=2 # http\n\nx\"; rm -rf $HOME"}"#)
        #expect(all.first == "FROM base:1")
        let run = try #require(all.first { $0.hasPrefix("RUN ") })
        let arguments = try JSONValue(parsing: Array(run.dropFirst(4).utf8))
        guard case .array(let words) = arguments else { throw TestFailure() }
        #expect(words.map(\.string).suffix(4) == ["--", "runagents==1.4.2", "requests>=2", #"x"; rm -rf $HOME"#])
        #expect(all.contains("USER 65534:65534"))
    }

    @Test func anEntryPointIsQuotedAndFoundWhereNoneIsNamed() throws {
        let named = #"{"source_files":{"a $b\".py":""},"entry_point":"a $b\".py"}"#
        #expect(try lines(named).contains(#"ENV USER_ENTRY_POINT="a \$b\".py""#))
        let unnamed = #"{"source_files":{"agent.py":"def handler(r, c=None): return 1"}}"#
        #expect(try lines(unnamed).contains(#"ENV USER_ENTRY_POINT="agent.py""#))
    }

    @Test func aLineBreakInARequirementOrAPathIsRefusedBeforeItIsARecipe() throws {
        #expect(throws: AgentRefusal.self) { try lines(#"{"source_files":{"a\nRUN id.py":""}}"#) }
        #expect(throws: AgentRefusal.self) {
            try lines(#"{"source_files":{"agent.py":""},"requirements":["a\nRUN id"]}"#)
        }
    }

    private struct TestFailure: Error {}
}
