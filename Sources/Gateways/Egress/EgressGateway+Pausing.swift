import CommandHandling
import Domain

/// Calls of a run that waits for a decision.
extension EgressGateway {
    /// The answer to a call that waits for an action that is blocked already: the one that this action got when it was.
    func pending(_ rejection: Rejection, of asked: AskedCall) -> EgressAnswer {
        guard let id = rejection.actionID, let run = commands.activeRunWithoutCalls(asked.run.id),
            let action = run.action(id)
        else { return .refusal(409, "ATTEMPT_SUPERSEDED", rejection.message, asked.runMember) }
        guard action.isConsent else { return approvalRequired(rejection.message, action, run) }
        return consentRequired(action.toolID, action.id, run)
    }

    /// What the published runtime knows how to wait for.
    func approvalRequired(_ message: String, _ action: ActionState, _ run: RunState) -> EgressAnswer {
        .refusal(
            403, "APPROVAL_REQUIRED", message,
            [
                .init(name: "action_id", value: .string(action.id.description)),
                .init(name: "request_id", value: .string(action.accessRequestID?.description ?? "")),
                .init(name: "run_id", value: .string(run.id.description)),
                .init(name: "tool", value: .string(action.toolID)),
                .init(name: "payload_hash", value: .string(action.payloadHash?.text ?? "")),
                .init(name: "headers_hash", value: .string(action.gate?.headersHash?.text ?? "")),
                // A turn whose checkpoint is larger is begun from the top.
                .init(name: "checkpoint_limit_bytes", value: .number(String(Limits().documentBytesMax))),
            ])
    }
}

extension AskedCall {
    var runMember: [JSONValue.Member] { [.init(name: "run_id", value: .string(run.id.description))] }
}
