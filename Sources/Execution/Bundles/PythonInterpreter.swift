import Subprocess
import SystemPackage

/// The Python that agents run under, by its own account.
struct PythonInterpreter: Hashable, Sendable {
    let executable: String
    /// Where its library is; it may be anywhere.
    let prefix: String
    let version: String

    private static let question = """
        import sys, platform
        print(getattr(sys, "_base_executable", sys.executable)); print(sys.base_prefix)
        print(platform.python_implementation(), platform.python_version())
        """

    /// Asks the interpreter of that name or path.
    static func find(_ name: String) async throws(AgentRefusal) -> PythonInterpreter {
        do {
            let executable: Executable = name.contains("/") ? .path(FilePath(name)) : .name(name)
            let answer = try await run(
                executable, arguments: ["-I", "-c", question], environment: DaemonEnvironment.forChildren,
                output: .string(limit: 4096), error: .discarded)
            let lines = answer.standardOutput.split(whereSeparator: \.isNewline).map(String.init)
            if answer.terminationStatus.isSuccess, lines.count == 3 {
                return PythonInterpreter(executable: lines[0], prefix: lines[1], version: lines[2])
            }
        } catch {
            throw AgentRefusal("\(name) cannot be started (\(error)): install Python 3 or set agent-python")
        }
        throw AgentRefusal("\(name) does not work as a Python 3: set agent-python to one that does")
    }

    /// What a sandbox has to show for it; nothing, when it is the system's.
    var mounts: [SandboxCommand.Mount] {
        prefix == "/usr" || prefix.hasPrefix("/usr/") ? [] : [.init(source: prefix, target: prefix)]
    }
}
