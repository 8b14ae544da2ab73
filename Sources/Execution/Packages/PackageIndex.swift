/// The operator's settings of the package installer, in the daemon's own environment.
enum PackageIndex {
    private static let prefix = "PIP_"

    /// Variables of pip, and of proxies.
    static var environment: [String: String] {
        DaemonEnvironment.variables.filter { $0.key.hasPrefix(prefix) }.merging(proxies) { mine, _ in mine }
    }

    /// The variables for a build whose only way out is the package proxy at that URL.
    static func environment(through proxy: String) -> [String: String] {
        var variables = environment.filter { !proxyNames.contains($0.key) }
        variables["PIP_PROXY"] = proxy
        return variables.merging(proxies(through: proxy)) { _, set in set }
    }

    /// The variables by which programs other than pip find the package proxy.
    static func proxies(through proxy: String) -> [String: String] {
        ["http_proxy": proxy, "https_proxy": proxy, "HTTP_PROXY": proxy, "HTTPS_PROXY": proxy]
    }

    /// The operator's own proxy.
    ///
    /// - Parameter configured: the proxy of the package installer's settings.
    static func upstream(configured: String?) -> UpstreamProxy? {
        let variables = DaemonEnvironment.variables
        let names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"]
        guard let url = configured ?? names.lazy.compactMap({ variables[$0] }).first(where: { !$0.isEmpty }) else {
            return nil
        }
        return UpstreamProxy(url: url, exceptions: variables["NO_PROXY"] ?? variables["no_proxy"] ?? "")
    }

    private static let proxyNames: Set = [
        "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    ]

    static var proxies: [String: String] {
        DaemonEnvironment.variables.filter { proxyNames.contains($0.key) }
    }

    /// Local files and directories that those variables name.
    static var paths: [String] {
        environment.values.filter { $0.hasPrefix("/") && BundleFiles.exists($0) }.sorted()
    }

    static var mounts: [SandboxCommand.Mount] {
        paths.filter { !$0.hasPrefix("/etc/") }.map { .init(source: $0, target: $0) }
    }

    /// The variables of pip as a file of its settings.
    ///
    /// - Parameter proxy: takes the place of the operator's; `nil` leaves that.
    static func file(through proxy: String? = nil) -> String {
        let proxies = proxy.map { ["proxy = " + $0] } ?? []
        let lines = settings.filter { proxy == nil || $0.name != "proxy" }.map { $0.name + " = " + $0.value }
        return (["[global]"] + lines + proxies).joined(separator: "\n") + "\n"
    }

    /// The same settings as `InstallerSettings` reads them.
    static var listing: String {
        settings.map { "global.\($0.name)='\($0.value)'" }.joined(separator: "\n")
    }

    private static var settings: [(name: String, value: String)] {
        environment.sorted { $0.key < $1.key }.compactMap { name, value in
            guard name.hasPrefix(prefix), !value.contains(where: \.isNewline) else { return nil }
            return (name.dropFirst(prefix.count).lowercased().replacing("_", with: "-"), value)
        }
    }
}
