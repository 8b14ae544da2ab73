#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a sandbox needs of the host's files: programs, libraries, and the little of `/etc` they read.
package struct HostLayout: Hashable, Sendable {
    /// A part of the root directory: a link to the place it names, or a directory of its own.
    package enum Part: Hashable, Sendable {
        case link(String)
        case directory
    }

    /// By path; `/usr` is always there.
    package var parts: [String: Part] = [:]
    /// Files and directories of `/etc` that are shown.
    package var configuration: [String] = []
    /// True when `/usr/local`, where the operator installs programs, is to be empty in the sandbox.
    package var hidesLocal = false

    package init() {}

    private static let rootNames = ["/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin"]
    /// No accounts, no keys, no host names of the operator's network: certificates, the loader's cache, the time zone.
    private static let shown = [
        "/etc/alternatives", "/etc/ca-certificates", "/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types",
        "/etc/nsswitch.conf", "/etc/pki", "/etc/ssl/certs", "/etc/ssl/openssl.cnf",
    ]
    /// Beside these, what a build needs to find the package index.
    static let shownToBuilds = ["/etc/hosts", "/etc/resolv.conf", "/etc/pip.conf"]

    var systemArguments: [String] {
        var arguments = ["--ro-bind", "/usr", "/usr"]
        for (path, part) in parts.sorted(by: { $0.key < $1.key }) {
            switch part {
            case .link(let target): arguments += ["--symlink", target, path]
            case .directory: arguments += ["--ro-bind", path, path]
            }
        }
        if hidesLocal {
            arguments += ["--perms", "0755", "--size", "4096", "--tmpfs", Self.local, "--remount-ro", Self.local]
        }
        return arguments + configuration.flatMap { ["--ro-bind", $0, $0] }
    }

    static let local = "/usr/local"

    /// This layout for a program of that Python, which may live in `/usr/local` itself.
    func running(_ python: PythonInterpreter) -> HostLayout {
        var layout = self
        if [python.prefix, python.executable].contains(where: { $0 == Self.local || $0.hasPrefix(Self.local + "/") }) {
            layout.hidesLocal = false
        }
        return layout
    }

    /// Looks at this host.
    static func current() -> HostLayout {
        var layout = HostLayout()
        for name in rootNames {
            var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink(name, &bytes, bytes.count)
            if count > 0 {
                let target = bytes.prefix(count).map { UInt8(bitPattern: $0) }
                layout.parts[name] = .link(String(decoding: target, as: UTF8.self))
            } else if access(name, F_OK) == 0 {
                layout.parts[name] = .directory
            }
        }
        layout.configuration = shown.filter { access($0, R_OK) == 0 }
        layout.hidesLocal = access(local, F_OK) == 0
        return layout
    }

    /// This layout with what a build sees beside it: the package index's settings, and compilers in `/usr/local`.
    func forBuilds() -> HostLayout {
        var layout = self
        layout.hidesLocal = false
        layout.configuration += Self.shownToBuilds.filter { access($0, R_OK) == 0 }
        return layout
    }
}
