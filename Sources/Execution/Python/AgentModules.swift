/// The Python package `sluice_agent`, which the agent's interpreter gets beside its own packages.
///
/// It attributes requests to runs and calls the objects of agent frameworks. It imports the standard library alone until
/// the agent itself imports more, so an agent with older packages is not affected by it.
enum AgentModules {
    /// The directory inside a sandbox or a container.
    static let mountPoint = "/run/sluice/modules"

    private static let package = "sluice_agent"
    private static let modules: [(name: String, source: [UInt8])] = [
        ("answers", PackageResources.answers_py),
        ("attempts", PackageResources.attempts_py),
        ("clients", PackageResources.clients_py),
        ("contexts", PackageResources.contexts_py),
        ("entry", PackageResources.entry_py),
        ("event_loop", PackageResources.event_loop_py),
        ("handlers", PackageResources.handlers_py),
        ("imports", PackageResources.imports_py),
        ("interrupts", PackageResources.interrupts_py),
        ("package_repairs", PackageResources.package_repairs_py),
        ("results", PackageResources.results_py),
        ("rewrites", PackageResources.rewrites_py),
        ("runtime_changes", PackageResources.runtime_changes_py),
        ("threads", PackageResources.threads_py),
        ("ag2_agents", PackageResources.ag2_agents_py),
        ("agent_framework_agents", PackageResources.agent_framework_agents_py),
        ("agno_agents", PackageResources.agno_agents_py),
        ("autogen_agents", PackageResources.autogen_agents_py),
        ("crewai_crews", PackageResources.crewai_crews_py),
        ("dspy_programs", PackageResources.dspy_programs_py),
        ("google_adk_agents", PackageResources.google_adk_agents_py),
        ("haystack_agents", PackageResources.haystack_agents_py),
        ("langchain_runnables", PackageResources.langchain_runnables_py),
        ("langgraph_graphs", PackageResources.langgraph_graphs_py),
        ("llama_index_agents", PackageResources.llama_index_agents_py),
        ("openai_agents", PackageResources.openai_agents_py),
        ("pydantic_ai_agents", PackageResources.pydantic_ai_agents_py),
        ("smolagents_agents", PackageResources.smolagents_agents_py),
        ("strands_agents", PackageResources.strands_agents_py),
    ]

    /// Writes the package below the directory, which has to be new.
    static func write(to directory: String) throws(AgentRefusal) {
        try BundleFiles.makeReadableDirectory(directory)
        try BundleFiles.makeReadableDirectory("\(directory)/\(package)")
        for module in modules {
            try BundleFiles.write(module.source, to: "\(directory)/\(package)/\(module.name).py", mode: 0o644)
        }
    }
}
