import Domain

/// Chooses the driver by the address: Sluice's own processes, or what somebody else runs.
package struct SchemeDriver: InvokeDriver {
    private let processes: ProcessDriver
    private let remote: RemoteHTTPDriver

    package init(processes: ProcessDriver, remote: RemoteHTTPDriver) {
        self.processes = processes
        self.remote = remote
    }

    package func invoke(_ call: InvokeCall) async -> InvokeResult {
        call.invokeURL.hasPrefix(AgentAddress.scheme)
            ? await processes.invoke(call) : await remote.invoke(call)
    }
}
