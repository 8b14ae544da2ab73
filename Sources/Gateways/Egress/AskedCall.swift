import CommandHandling
import Domain
import Governance

/// A call that the policies let through, with or without an approval.
struct AskedCall: Sendable {
    let request: EgressRequest
    let run: RunState
    let tool: GovernedTool
    /// Where it goes: the spelling that was judged.
    let url: NormalizedURL
    /// The tool's own.
    let document: JSONValue

    var commandRequest: CommandRequest {
        CommandRequest(workspace: run.workspace, actor: request.actor, traceparent: request.traceparent)
    }

    func call(_ id: ToolCallID, _ capability: CapabilityMatch?) -> ToolCall {
        let hash = PayloadDigest.sha256(request.body)
        return ToolCall(
            id: id, toolID: tool.name, capability: capability?.capability?.names.first, method: request.method,
            url: url.text, payloadHash: hash,
            fingerprint: CallFingerprint.make(
                turn: request.header("x-tool-turn") ?? "", method: request.method, url: url, body: hash),
            isRepeatable: capability.map { $0.isSafeToRepeat || $0.takesIdempotencyKey } ?? false)
    }
}
