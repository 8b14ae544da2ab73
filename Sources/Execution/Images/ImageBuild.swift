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

    /// The image's id, or what the builder said instead; and its words either way.
    func run() async -> (id: Result<String, AgentRefusal>, log: [UInt8]) {
        do throws(AgentRefusal) {
            try prepare()
        } catch {
            return (.failure(error), [])
        }
        let log = await command.run()
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
        try BundleFiles.write(Array(PackageIndex.file.utf8), to: staging + "/" + Self.installerSettings)
        // The image keeps these modes, and its user is nobody.
        try BundleFiles.walk(directory) { entry, kind throws(AgentRefusal) in
            chmod(entry, kind == .directory ? 0o755 : 0o644)
        }
    }

    /// What podman and buildah start has process groups of its own and outlives them; so, where the daemon may, they have
    /// process ids of their own too, and the kernel ends all of them with the first.
    private var command: BuildCommand {
        let environment = DaemonEnvironment.forChildren(with: PackageIndex.proxies)
        guard builder.mountsVolumes, DaemonEnvironment.isRoot else {
            return BuildCommand(
                executable: builder.engine.executable, arguments: arguments, environment: environment,
                timeout: timeout, grace: Self.grace)
        }
        let own = ["--pid", "--fork", "--kill-child", "--mount-proc", "--", builder.engine.program]
        return BuildCommand(
            executable: .name("unshare"), arguments: own + arguments, environment: environment, timeout: timeout)
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
        for name in PackageIndex.proxies.keys.sorted() { arguments += ["--build-arg", name] }
        return arguments + [
            "--tag", tag, "--label", "sluice.build=\(tag)", "--iidfile", staging + "/id", "--file",
            staging + "/Dockerfile", staging,
        ]
    }
}
