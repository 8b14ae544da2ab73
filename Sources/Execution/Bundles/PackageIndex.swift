/// What the operator has told the package installer, in the daemon's own environment.
enum PackageIndex {
    private static let prefix = "PIP_"

    /// Variables of pip, and of proxies.
    static var environment: [String: String] {
        DaemonEnvironment.variables.filter { $0.key.hasPrefix(prefix) }.merging(proxies) { mine, _ in mine }
    }

    static var proxies: [String: String] {
        let names: Set = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"]
        return DaemonEnvironment.variables.filter { names.contains($0.key) }
    }

    /// Local files and directories that those variables name.
    static var paths: [String] {
        environment.values.filter { $0.hasPrefix("/") && BundleFiles.exists($0) }.sorted()
    }

    static var mounts: [SandboxCommand.Mount] {
        paths.filter { !$0.hasPrefix("/etc/") }.map { .init(source: $0, target: $0) }
    }

    /// The variables of pip as a file of its settings.
    static var file: String {
        let lines = environment.sorted { $0.key < $1.key }.compactMap { name, value -> String? in
            guard name.hasPrefix(prefix), !value.contains(where: \.isNewline) else { return nil }
            return name.dropFirst(prefix.count).lowercased().replacing("_", with: "-") + " = " + value
        }
        return (["[global]"] + lines).joined(separator: "\n") + "\n"
    }
}
