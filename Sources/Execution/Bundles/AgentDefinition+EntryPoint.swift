extension AgentDefinition {
    private static let usualNames = ["agent.py", "main.py", "app.py", "handler.py"]
    /// What the runtime looks for in a module, as a line of code begins it.
    private static let callables = [
        "def handler(", "async def handler(", "handler=", "def main(", "async def main(", "agent=", "chain=",
        "executor=", "graph=", "crew=",
    ]

    /// The named file or module; without a name, the first usual file that defines something to call.
    ///
    /// A script that defines nothing is not imported: its lines would run at the start, and once only.
    static func entryPoint(_ named: String?, _ sources: [SourceFile]) throws(AgentRefusal) -> String? {
        if let named, !named.isEmpty {
            let path = named.hasSuffix(".py") ? named : named.split(separator: ".").joined(separator: "/") + ".py"
            let package = path.dropLast(3) + "/__init__.py"
            guard sources.contains(where: { $0.path == path || $0.path == package }) else {
                throw AgentRefusal("entry_point \(named.prefix(80)) is not among the source_files")
            }
            return named
        }
        let usual = usualNames.compactMap { name in sources.first { $0.path == name } }
        let others = sources.filter { $0.path.hasSuffix(".py") && !$0.path.contains("/") && !usual.contains($0) }
        return (usual + others).first { definesCallable($0.content) }?.path
    }

    private static func definesCallable(_ code: String) -> Bool {
        code.split(whereSeparator: \.isNewline).contains { line in
            let squeezed = line.replacing(" =", with: "=")
            return callables.contains { squeezed.hasPrefix($0) }
        }
    }
}
