import Outbound
import Subprocess

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The making of an image by a builder of this machine, in a directory of its own.
struct ImageBuild: Sendable {
    /// What is made of the operator's settings of the package installer, for builders that show files to what they run.
    private static let installerSettings = "pip.conf"
    private static let idBytesMax = 128
    private static let grace = Duration.seconds(5)
    private static let shownInError = 2000

    let builder: ImageBuilder
    let options: [String]
    /// A directory that is there, empty, and removed by somebody else.
    let staging: String
    let recipe: ImageRecipe
    let sources: [AgentDefinition.SourceFile]
    let tag: String
    let timeout: Duration
    let network: Network

    /// The daemon's part of the network of what a builder runs.
    struct Network: Sendable {
        let directory: RuntimeDirectory
        let python: PythonInterpreter
        /// Hosts that builds may reach beside those of the package indexes.
        let hosts: Set<PackageHost>
        let client: OutboundClient
    }

    /// The image's id, or what the builder said instead; and its words either way.
    func run() async -> (id: Result<String, AgentRefusal>, log: [UInt8]) {
        do throws(AgentRefusal) {
            try prepare()
        } catch {
            return (.failure(error), [])
        }
        let log = isIsolated ? await runIsolated() : await command().run()
        guard log.isSuccess, let id = BundleFiles.tail(of: staging + "/id", bytesMax: Self.idBytesMax) else {
            let end = String(decoding: log.bytes.suffix(Self.shownInError), as: UTF8.self)
            let refusal = AgentRefusal("\(builder.engine.program) could not make the image. Its end:\n\(end)")
            return (.failure(refusal), log.bytes)
        }
        let text = String(decoding: id, as: UTF8.self).split(whereSeparator: \.isWhitespace).joined()
        // Builders differ in whether they say what kind of digest it is.
        return (.success(text.hasPrefix("sha256:") ? text : "sha256:" + text), log.bytes)
    }

    private func prepare() throws(AgentRefusal) {
        let directory = staging + "/" + ImageRecipe.sourcesName
        try BundleFiles.makeDirectory(directory)
        try BundleFiles.write(sources, under: directory)
        try BundleFiles.write(Array(recipe.dockerfile.utf8), to: staging + "/Dockerfile")
        try BundleFiles.write(Array(installerSettings.utf8), to: staging + "/" + Self.installerSettings)
        // The image keeps these modes, and its user is nobody.
        try DirectoryTree.open(directory)
    }

    /// What podman and buildah start has process groups of its own and outlives them; so, where the daemon may, they have
    /// process ids of their own too, and the kernel ends all of them with the first.
    ///
    /// - Parameter socket: the package proxy's, which is their only network then.
    private func command(_ socket: String? = nil) -> BuildCommand {
        let environment = DaemonEnvironment.forChildren(with: socket == nil ? PackageIndex.proxies : [:])
        guard let socket else {
            return BuildCommand(
                executable: builder.engine.executable, arguments: arguments, environment: environment,
                timeout: timeout, grace: Self.grace)
        }
        let own = ["--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]
        let launch = [network.python.executable, "-I", network.directory.buildLauncher, "--builder", socket]
        return BuildCommand(
            executable: .name("unshare"), arguments: own + launch + [builder.engine.program] + arguments,
            environment: environment, timeout: timeout)
    }

    /// True where the builder can be given a network namespace, and run in it what it runs.
    private var isIsolated: Bool { builder.mountsVolumes && DaemonEnvironment.isRoot }

    private func runIsolated() async -> BuildCommand.Log {
        if let failure = await pullBase() { return failure }
        let known = InstallerSettings(listing: PackageIndex.listing)
        let proxy = PackageProxy(
            hosts: known.hosts.union(network.hosts), upstream: PackageIndex.upstream(configured: known.proxy),
            client: network.client)
        let socket = network.directory.path + "/image-" + (staging.split(separator: "/").last ?? "") + ".sock"
        do {
            let log = try await proxy.serve(at: network.directory.address(of: socket)) { await command(socket).run() }
            return proxy.noting(refusalsIn: log)
        } catch {
            return BuildCommand.Log(
                isSuccess: false, bytes: Array("the package proxy cannot be started: \(error)\n".utf8))
        }
    }

    /// Fetches the base image, when it is not here, by the builder's own code and in its own network.
    private func pullBase() async -> BuildCommand.Log? {
        let name = recipe.base
        guard !name.hasPrefix("-"), let known = try? await builder.engine.output(of: ["images", "--quiet", name]),
            !known.isSuccess || known.output.isEmpty
        else { return nil }
        let log = await BuildCommand(
            executable: builder.engine.executable, arguments: builder.engine.arguments + ["pull", "--quiet", name],
            environment: DaemonEnvironment.forChildren(with: PackageIndex.proxies), timeout: timeout
        ).run()
        return log.isSuccess ? nil : log
    }

    private var installerSettings: String {
        PackageIndex.file(through: isIsolated ? BuildLauncher.proxyURL : nil)
    }

    private var arguments: [String] {
        var arguments = builder.engine.arguments + ["build"] + options
        if builder.keepsLayers { arguments.append("--layers") }
        if builder.mountsVolumes {
            let settings = (staging + "/" + Self.installerSettings, "/etc/pip.conf")
            for (source, target) in [settings] + PackageIndex.paths.map({ ($0, $0) }) {
                arguments += ["--volume", "\(source):\(target):ro"]
            }
        }
        if isIsolated {
            if !options.contains(where: { $0.hasPrefix("--net") }) { arguments += ["--network", "host"] }
            for (name, value) in PackageIndex.proxies(through: BuildLauncher.proxyURL).sorted(by: { $0.key < $1.key }) {
                arguments += ["--build-arg", "\(name)=\(value)"]
            }
        } else {
            for name in PackageIndex.proxies.keys.sorted() { arguments += ["--build-arg", name] }
        }
        return arguments + [
            "--tag", tag, "--label", "sluice.build=\(tag)", "--iidfile", staging + "/id", "--file",
            staging + "/Dockerfile", staging,
        ]
    }
}
