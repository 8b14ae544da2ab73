#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import Subprocess

/// What the daemon itself was started with.
enum DaemonEnvironment {
    static var isRoot: Bool { geteuid() == 0 }

    /// What processes that the daemon starts get of it: its own settings and keys are not theirs.
    static var forChildren: Environment { forChildren(with: [:]) }

    static func forChildren(with more: [String: String]) -> Environment {
        var environment: [Environment.Key: String] = [
            "PATH": variables["PATH"] ?? "/usr/bin:/bin", "LANG": "C.UTF-8",
        ]
        for (name, value) in more { environment[.init(stringLiteral: name)] = value }
        return .custom(environment)
    }

    static var variables: [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let line = String(cString: text)
            if let equals = line.firstIndex(of: "=") {
                variables[String(line[..<equals])] = String(line[line.index(after: equals)...])
            }
            entry += 1
        }
        return variables
    }
}
