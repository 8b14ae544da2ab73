import Domain

/// How an image that runs an agent's sources is made: a Dockerfile for a directory with the sources in `src`. Pure.
///
/// No shell reads what the sender wrote: packages are arguments of a program.
package struct ImageRecipe: Hashable, Sendable {
    /// What the directory calls the sources.
    static let sourcesName = "src"

    package let dockerfile: String
    /// The image to begin with.
    let base: String

    /// - Parameters:
    ///   - base: the image to begin with, which has `python3` and its pip.
    ///   - runtime: the package that holds the runtime, as the installer takes it.
    package init(_ definition: AgentDefinition, base: String, runtime: String) {
        self.base = base
        let install = [
            "python3", "-m", "pip", "install", "--no-input", "--no-cache-dir", "--disable-pip-version-check",
            "--progress-bar", "off", "--", runtime,
        ]
        let arguments = JSONValue.array((install + definition.requirements).map(JSONValue.string)).text.text
        var lines = [
            "FROM \(base)",
            "RUN \(arguments)",
            "COPY \(Self.sourcesName)/ /app/",
            "WORKDIR /app",
            "ENV RUNAGENTS_USER_CODE_DIR=/app PYTHONUNBUFFERED=1",
        ]
        if let entry = definition.entryPoint { lines.append("ENV USER_ENTRY_POINT=\(Self.quoted(entry))") }
        lines += ["USER 65534:65534", "EXPOSE 8080", #"CMD ["python3","-m","runagents.runtime"]"#]
        dockerfile = lines.joined(separator: "\n") + "\n"
    }

    /// In double quotes, as `ENV` reads them. An entry point is a path of the sources, so it has no line breaks.
    private static func quoted(_ text: String) -> String {
        let plain = text.map { "\"\\$".contains($0) ? "\\\($0)" : String($0) }.joined()
        return "\"\(plain)\""
    }
}
