import CommandHandling
import Domain
import Governance

/// A call that the policies let through, with or without an approval. It is one object, because every step of the call
/// hands it on.
final class AskedCall: Sendable {
    let request: EgressRequest
    let run: RunState
    let tool: GovernedTool
    /// The tool that approvals of the call are bound to.
    let identity: ToolIdentity
    /// Where it goes: the spelling that was judged.
    let url: NormalizedURL
    /// The headers, in the form that is judged, approved and recorded.
    let headers: CallHeaders
    /// The tool's own.
    let document: JSONValue
    /// The limits that the agent's deploy names.
    let limits: RunLimitOverrides
    /// The request of the commands that record it.
    let commandRequest: CommandRequest

    init(
        _ request: EgressRequest, of run: RunState, to target: EgressGateway.Target, _ headers: CallHeaders,
        _ judged: EgressGateway.Judged
    ) {
        self.request = request
        self.run = run
        tool = target.tool
        identity = target.identity
        url = target.url
        self.headers = headers
        document = judged.document
        limits = judged.limits
        commandRequest = CommandRequest(
            workspace: run.workspace, actor: request.actor, agent: request.acting, attemptID: request.attemptID,
            traceparent: request.traceparent)
    }

    func call(_ id: ToolCallID, _ capability: CapabilityMatch?) -> ToolCall {
        let (body, headersHash) = (PayloadDigest.sha256(request.body), headers.digest)
        return ToolCall(
            id: id, toolID: tool.name, capability: capability?.capability?.names.first, method: request.method,
            url: url.text, payloadHash: body, headersHash: headersHash,
            fingerprint: CallFingerprint.make(method: request.method, url: url, headers: headersHash, body: body),
            isRepeatable: capability.map { $0.isSafeToRepeat || $0.takesIdempotencyKey } ?? false,
            attempt: run.calls.attempt)
    }

    /// The identities of the same call in records of earlier versions: with the number of the call in its turn, and
    /// without the headers.
    func earlierFingerprints(of call: ToolCall) -> [UUIDValue] {
        let turn = request.header("x-tool-turn") ?? ""
        let numbered = turn.isEmpty ? [] : [(turn, call.headersHash), (turn, nil)]
        return (numbered + [("", nil)]).map { turn, headers in
            CallFingerprint.make(
                turn: turn, method: request.method, url: url, headers: headers, body: call.payloadHash)
        }
    }
}
