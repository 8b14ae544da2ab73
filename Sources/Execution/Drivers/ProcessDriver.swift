import Domain
package import Outbound

/// Calls agents that Sluice runs itself.
package struct ProcessDriver: InvokeDriver {
    private static let unreachedMax = 3
    private let processes: AgentProcesses
    private let http: RemoteHTTPDriver

    package init(_ processes: AgentProcesses, client: OutboundClient, configuration: ExecutorConfiguration) {
        self.processes = processes
        http = RemoteHTTPDriver(client: client, configuration: configuration)
    }

    package func invoke(_ call: InvokeCall) async -> InvokeResult {
        guard let agent = Self.agent(of: call) else { return .refused("\(call.invokeURL) names no agent") }
        do throws(CallRefusal) {
            var result: InvokeResult
            var callsLeft = Self.unreachedMax
            repeat {
                let lease = try await processes.lease(agent)
                let url = lease.instance.url(Self.path(of: call))
                let answer = await lease.instance.perform(call) {
                    await http.invoke(call, at: url, addresses: .unrestricted)
                }
                result = Self.withoutToken(answer ?? .cancelled, of: lease.instance)
                // The agent's handler may go on, and nothing tells it that its attempt is over.
                var isUnanswered = false
                if case .unanswered = result { isUnanswered = true }
                if isUnanswered { await processes.retire(lease) }
                if case .cancelled = result {
                    await processes.breakOff(lease)
                    return result
                }
                let isStopped = await processes.giveBack(lease)
                if isUnanswered, isStopped { await processes.awaitEnd(lease) }
                guard case .unreached = result else { break }
                // It has ended, which is known a little later; the next one takes the call.
                await processes.awaitEnd(lease)
                callsLeft -= 1
            } while callsLeft > 0
            return result
        } catch {
            switch error {
            case .passing(let refusal): return Task.isCancelled ? .cancelled : .unanswered(refusal.description)
            case .lasting(let refusal): return Task.isCancelled ? .cancelled : .refused(refusal.description)
            }
        }
    }

    /// The runtime tells in its answers which addresses it called, the token of its own among them.
    private static func withoutToken(_ result: InvokeResult, of instance: AgentInstance) -> InvokeResult {
        guard case .answered(let statusCode, let body, let bytesCut) = result else { return result }
        return .answered(statusCode: statusCode, body: instance.redacted(body), bytesCut: bytesCut)
    }

    static func agent(of call: InvokeCall) -> AgentTokens.Agent? {
        AgentAddress.agentName(call.invokeURL).map { AgentTokens.Agent(workspace: call.workspace, name: $0) }
    }

    private static func path(of call: InvokeCall) -> String {
        switch call.purpose {
        case .start: "/invoke"
        case .resume(let action): "/resume/\(action)"
        }
    }
}
