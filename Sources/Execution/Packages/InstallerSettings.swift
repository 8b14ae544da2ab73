/// The package installer's settings, by its own account: the output of `pip config list`. Pure.
package struct InstallerSettings: Hashable, Sendable {
    /// The index that the installer asks when no other is configured, with the host of its files.
    private static let defaultIndex = "https://pypi.org/simple"
    /// Indexes whose files are on another host.
    private static let fileHosts = [
        "pypi.org": "files.pythonhosted.org", "test.pypi.org": "test-files.pythonhosted.org",
    ]

    /// The hosts that the installer may have to connect to.
    package let hosts: Set<PackageHost>
    /// The proxy that the operator has configured for the installer.
    package let proxy: String?

    package init(listing: String) {
        var indexes: [String] = []
        var links: [String] = []
        var (hasIndex, isWithoutIndex) = (false, false)
        var proxy: String?
        for line in listing.split(whereSeparator: \.isNewline) {
            guard let equals = line.firstIndex(of: "=") else { continue }
            // `global.index-url`, `install.index-url`, `:env:.index-url`.
            let name = line[..<equals].split(separator: ".").last ?? ""
            let value = line[line.index(after: equals)...]
            switch name {
            case "index-url":
                hasIndex = true
                indexes += Self.urls(value)
            case "extra-index-url": indexes += Self.urls(value)
            case "find-links": links += Self.urls(value)
            case "no-index": isWithoutIndex = ["1", "true", "yes", "on"].contains(Self.unquoted(value).lowercased())
            case "proxy": proxy = Self.unquoted(value)
            default: break
            }
        }
        if !hasIndex { indexes.append(Self.defaultIndex) }
        let used = (isWithoutIndex ? [] : indexes) + links
        hosts = Set(used.compactMap { PackageHost(url: $0) }.flatMap(Self.withFileHost))
        self.proxy = proxy
    }

    private static func withFileHost(_ host: PackageHost) -> [PackageHost] {
        [host] + (fileHosts[host.name].map { [PackageHost(name: $0, port: host.port)] } ?? [])
    }

    /// The addresses of a value, which is written as Python writes a string.
    private static func urls(_ value: Substring) -> [String] {
        unquoted(value).replacing("\\n", with: " ").split(whereSeparator: \.isWhitespace).map(String.init)
    }

    private static func unquoted(_ value: Substring) -> String {
        guard let quote = value.first, quote == "'" || quote == "\"", value.count > 1, value.last == quote else {
            return String(value)
        }
        return String(value.dropFirst().dropLast())
    }
}
