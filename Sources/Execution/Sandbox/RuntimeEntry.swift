import Domain

/// What an agent's interpreter is given to run, as Python text: the published runtime, with Sluice's modules beside it.
enum RuntimeEntry {
    /// - Parameter modules: the directory of `AgentModules`, as the interpreter sees it.
    static func source(modules: String) -> String {
        """
        import sys

        sys.path.insert(0, \(JSONValue.string(modules).text.text))
        from sluice_agent import entry

        entry.main()
        """
    }
}
