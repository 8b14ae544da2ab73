/// What the operator has told the package installer, in the daemon's own environment.
enum PackageIndex {
    /// Variables of pip, and of proxies.
    static var environment: [String: String] {
        let proxies: Set = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"]
        return DaemonEnvironment.variables.filter { $0.key.hasPrefix("PIP_") || proxies.contains($0.key) }
    }

    /// Local files and directories that those variables name.
    static var mounts: [SandboxCommand.Mount] {
        environment.values.filter { $0.hasPrefix("/") && !$0.hasPrefix("/etc/") && BundleFiles.exists($0) }
            .sorted().map { .init(source: $0, target: $0) }
    }
}
