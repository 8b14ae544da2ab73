import Domain
import Execution
import Testing

@Suite struct AgentDefinitionTests {
    private func definition(_ text: String) throws -> AgentDefinition {
        try AgentDefinition(document: JSONValue(parsing: Array(text.utf8)))
    }

    @Test(arguments: ["", "/a.py", "../a.py", "a/../b.py", "a//b.py", "./a.py", "a/", "a\\b.py", "a\u{0}.py"])
    func refusesAPathThatLeavesTheBundle(path: String) throws {
        let files = JSONValue.object([.init(name: path, value: .string("x"))])
        #expect(throws: AgentRefusal.self) {
            _ = try AgentDefinition(document: .object([.init(name: "source_files", value: files)]))
        }
    }

    @Test func refusesAFileThatIsAlsoADirectory() {
        #expect(throws: AgentRefusal.self) { try definition(#"{"source_files":{"a":"1","a/b.py":"2"}}"#) }
    }

    @Test func sortsSourcesByPath() throws {
        let sources = try definition(#"{"source_files":{"b.py":"2","a.py":"1","a/c.py":"3"}}"#).sources
        #expect(sources.map(\.path) == ["a.py", "a/c.py", "b.py"])
    }

    @Test(arguments: [
        ("def handler(request):\n    pass", "agent.py"), ("x = 1\ngraph = build()", "agent.py"),
        ("async def main():\n    pass", "agent.py"), ("print(1)", nil), ("    def handler(x): pass", nil),
        ("agents = []", nil), ("app = Flask()", nil), ("from google.adk.agents import Agent", "agent.py"),
        ("from langgraph.func import entrypoint", "agent.py"), ("import pydantic_ai", "agent.py"),
        ("import pydantic_ai_of_another", nil), ("from agents import Agent", "agent.py"),
        ("import openai", "agent.py"), ("from anthropic import Anthropic", "agent.py"), ("import dspy", "agent.py"),
        ("from haystack.components.agents import Agent", "agent.py"), ("import requests", nil),
    ])
    func startsADocumentOfAnEarlierReleaseWithWhatDefinesSomethingToCall(code: String, entryPoint: String?) throws {
        let files = JSONValue.object([.init(name: "agent.py", value: .string(code))])
        let found = try AgentDefinition(document: .object([.init(name: "source_files", value: files)]))
        #expect(found.entryPoint == entryPoint)
    }

    @Test func prefersAFileThatDefinesSomethingToOneThatImportsAFramework() throws {
        let found = try definition(#"{"source_files":{"app.py":"import crewai","run.py":"def main(): pass"}}"#)
        #expect(found.entryPoint == "run.py")
    }

    @Test func takesAModuleOfTheAgentForNoFramework() throws {
        let found = try definition(#"{"source_files":{"app.py":"import agents","agents.py":"x = 1"}}"#)
        #expect(found.entryPoint == nil)
    }

    @Test func startsWithWhatTheAnalysisFoundWhereNothingIsNamed() throws {
        let files = #""source_files":{"s/a.py":"def handler(r): pass","agent.py":"def handler(r): pass"}"#
        let found = #""found":{"requirements":["idna>=3"],"guessed":["idna"],"entry_point":"s/a.py"}"#
        let unnamed = try definition("{\(files),\(found)}")
        #expect(unnamed.entryPoint == "s/a.py" && unnamed.requirements == ["idna>=3"])
        let named = try definition(
            ##"{\##(files),\##(found),"entry_point":"agent.py","requirements":"# none"}"##)
        #expect(named.entryPoint == "agent.py" && named.requirements.isEmpty)
        let empty = try definition(#"{\#(files),\#(found),"entry_point":"","requirements":""}"#)
        #expect(empty == unnamed)
    }

    @Test func refusesCodeThatWouldNotBeRunUnlessAnEntryPointIsNamed() throws {
        let document = #""source_files":{"a.py":"print(1)"},"found":{"requirements":[],"refusal":"a.py is not run"}"#
        let refusal = #expect(throws: AgentRefusal.self) { try definition("{\(document)}") }
        #expect(refusal?.description == "a.py is not run")
        #expect(try definition(#"{\#(document),"entry_point":"a.py"}"#).entryPoint == "a.py")
    }

    @Test func leavesSourcesWithoutCodeToTheRuntimesLoop() throws {
        let document = #"{"source_files":{"agent.py":"def handler(r): pass"},"found":{"requirements":[]}}"#
        #expect(try definition(document).entryPoint == nil)
    }

    @Test func namesTheImportsWhosePackagesWereGuessed() {
        let refusal = AgentRefusal("the build failed")
        #expect(refusal.naming(guesses: []) == refusal)
        #expect(refusal.naming(guesses: ["a", "b"]).description.hasSuffix("imports of a, b; the build failed"))
    }

    @Test func readsWhetherRunsAreIsolated() throws {
        #expect(try !definition(#"{"source_files":{"a.py":""}}"#).isolatesRuns)
        #expect(try definition(#"{"source_files":{"a.py":""},"spec":{"isolation":"run"}}"#).isolatesRuns)
        #expect(throws: AgentRefusal.self) {
            try definition(#"{"source_files":{"a.py":""},"spec":{"isolation":"thread"}}"#)
        }
    }

    @Test func refusesAnEntryPointThatIsNotThere() throws {
        #expect(throws: AgentRefusal.self) {
            try definition(#"{"source_files":{"a.py":"1"},"entry_point":"b.py"}"#)
        }
        #expect(try definition(#"{"source_files":{"s/a.py":"1"},"entry_point":"s.a"}"#).entryPoint == "s.a")
    }

    @Test(arguments: ["-e .", "--index-url=x", "/x", "./x", "x @ y", "git+https://x", "\u{e9}"])
    func refusesARequirementThatIsNoName(line: String) {
        let document = JSONValue.object([
            .init(name: "source_files", value: .object([.init(name: "a.py", value: .string(""))])),
            .init(name: "requirements", value: .string("idna\n" + line)),
        ])
        #expect(throws: AgentRefusal.self) { try AgentDefinition(document: document) }
    }

    @Test func readsRequirementsWithoutComments() throws {
        let found = try definition(##"{"source_files":{"a.py":""},"requirements":"# all\n idna>=3 # names\n\nsix"}"##)
        #expect(found.requirements == ["idna>=3", "six"])
    }
}

@Suite struct ContentKeyTests {
    private let environment = ContentKey.environment(runtime: "r", python: "p", requirements: ["a", "b"])

    @Test func partsDoNotRunIntoEachOther() {
        #expect(environment != ContentKey.environment(runtime: "r", python: "p", requirements: ["ab"]))
        #expect(environment != ContentKey.environment(runtime: "r", python: "p", requirements: ["b", "a"]))
        #expect(environment == ContentKey.environment(runtime: "r", python: "p", requirements: ["a", "b"]))
    }

    @Test func everyPartOfTheContentCounts() {
        let keys = [("a", "1"), ("a", "2"), ("b", "1"), ("a1", "")].map {
            ContentKey.bundle([.init(path: $0.0, content: $0.1)], environment: environment).description
        }
        #expect(Set(keys).count == 4)
        #expect(keys.allSatisfy { $0.utf8.count == 64 })
    }
}
