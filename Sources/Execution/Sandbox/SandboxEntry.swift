/// The step before a sandbox, as the arguments of a shell: the kernel's order of victims, and a control group.
///
/// Both are set from outside: nothing inside leaves its group, and with `CAP_SYS_RESOURCE` nothing lowers its score. Pure.
package enum SandboxEntry {
    private static let shell = "/bin/sh"
    private static let script = """
        echo 1000 >/proc/self/oom_score_adj
        if [ -n "$0" ]; then echo $$ >"$0" || exit 1; fi
        exec "$@"
        """

    /// The command that enters the group, if there is one, and becomes the program.
    package static func command(
        _ program: String, _ arguments: [String], in group: ControlGroups.Group?
    ) -> (program: String, arguments: [String]) {
        (shell, ["-c", script, group?.processesFile ?? "", program] + arguments)
    }
}
