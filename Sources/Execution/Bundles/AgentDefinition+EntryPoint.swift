import Domain

extension AgentDefinition {
    private static let usualNames = ["agent.py", "main.py", "app.py", "handler.py"]
    /// What the runtime looks for in a module, as a line of code begins it.
    private static let callables = [
        "def handler(", "async def handler(", "handler=", "def main(", "async def main(", "agent=", "chain=",
        "executor=", "graph=", "crew=",
    ]
    /// Frameworks whose objects are called under any name, and packages that agents of no framework here are written
    /// with. A file that imports one is the agent: the runtime's own loop does not answer in its place.
    private static let frameworks = [
        "langgraph", "langchain", "langchain_core", "langchain_openai", "langchain_anthropic", "deepagents",
        "pydantic_ai", "agents", "smolagents", "crewai", "google.adk", "agent_framework", "ag2", "autogen",
        "autogen_agentchat", "autogen_core", "llama_index", "workflows", "agno", "strands", "haystack", "dspy",
        "semantic_kernel", "camel", "langroid", "griptape", "marvin", "mirascope", "instructor", "claude_agent_sdk",
        "litellm", "google.genai", "openai", "anthropic",
    ]

    /// The named file or module; without a name, what the analysis of the deploy found.
    ///
    /// A script that defines nothing is not imported: its lines would run at the start, and once only.
    static func entryPoint(
        _ named: String?, _ found: FoundStart?, _ sources: [SourceFile]
    ) throws(AgentRefusal) -> String? {
        if let named, !named.isEmpty {
            let path = named.hasSuffix(".py") ? named : named.split(separator: ".").joined(separator: "/") + ".py"
            let package = path.dropLast(3) + "/__init__.py"
            guard sources.contains(where: { $0.path == path || $0.path == package }) else {
                throw AgentRefusal("entry_point \(named.prefix(80)) is not among the source_files")
            }
            return named
        }
        guard let found else { return earlierEntryPoint(sources) }
        if let refusal = found.refusal { throw AgentRefusal(refusal) }
        return found.entryPoint
    }

    /// The entry point of a document that an earlier release stored without an analysis: the first usual file that defines
    /// something to call, or else the first that imports an agent framework. Such an agent starts as it did then.
    private static func earlierEntryPoint(_ sources: [SourceFile]) -> String? {
        let usual = usualNames.compactMap { name in sources.first { $0.path == name } }
        let others = sources.filter { $0.path.hasSuffix(".py") && !$0.path.contains("/") && !usual.contains($0) }
        let files = usual + others
        // A module of the agent's own may have a framework's name.
        let frameworks = frameworks.filter { name in
            !sources.contains { $0.path == name + ".py" || $0.path.hasPrefix(name + "/") }
        }
        return (files.first { definesCallable($0.content) } ?? files.first { imports(frameworks, $0.content) })?.path
    }

    private static func imports(_ frameworks: [String], _ code: String) -> Bool {
        code.split(whereSeparator: \.isNewline).contains { line in
            let words = line.split(separator: " ", maxSplits: 2)
            guard words.count > 1, words[0] == "import" || words[0] == "from" else { return false }
            let module = words[1] + "."
            return frameworks.contains { module.hasPrefix($0 + ".") }
        }
    }

    private static func definesCallable(_ code: String) -> Bool {
        code.split(whereSeparator: \.isNewline).contains { line in
            let squeezed = line.replacing(" =", with: "=")
            return callables.contains { squeezed.hasPrefix($0) }
        }
    }
}
