import CommandHandling
import Domain
import Governance

/// A call that the policies let through, with or without an approval.
struct AskedCall: Sendable {
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

    var commandRequest: CommandRequest {
        CommandRequest(workspace: run.workspace, actor: request.actor, traceparent: request.traceparent)
    }

    func call(_ id: ToolCallID, _ capability: CapabilityMatch?) -> ToolCall {
        let (body, headersHash) = (PayloadDigest.sha256(request.body), headers.digest)
        return ToolCall(
            id: id, toolID: tool.name, capability: capability?.capability?.names.first, method: request.method,
            url: url.text, payloadHash: body, headersHash: headersHash,
            fingerprint: fingerprint(headersHash, body),
            isRepeatable: capability.map { $0.isSafeToRepeat || $0.takesIdempotencyKey } ?? false)
    }

    private func fingerprint(_ headers: PayloadHash, _ body: PayloadHash) -> UUIDValue {
        func made(_ headers: PayloadHash?) -> UUIDValue {
            CallFingerprint.make(
                turn: request.header("x-tool-turn") ?? "", method: request.method, url: url, headers: headers,
                body: body)
        }
        return run.calls.fingerprint(made(headers), earlier: made(nil))
    }
}
