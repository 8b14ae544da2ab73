package import Domain

/// Calls through the gate: made, blocked, repeated, interrupted.
extension LogGenerator {
    mutating func toolCall(_ run: RunState) -> Command {
        if let open = run.calls.open.last, random.chance(60) {
            guard random.chance(80) else { return .recordInterruptedCall(run: run.id, open.id) }
            return .recordToolCall(run: run.id, outcome(of: call(open.id, open.fingerprint, in: run)))
        }
        if random.chance(5) {
            return .requireConsent(
                run: run.id,
                RequireConsent(actionID: newID(), toolID: random.pick(Self.names), agentID: run.agentID))
        }
        if random.chance(5) {
            return .recordRefusedCall(
                run: run.id,
                ToolCallRefused(
                    toolID: "stripe", method: "DELETE", url: "/accounts", payloadHash: PayloadHash("sha256:0"),
                    reason: "no rule allows it"))
        }
        // Few different ones, so that calls come again.
        let number = UInt64.random(in: 1...4, using: &random)
        let call = call(newID(), UUIDValue(high: 0, low: number), in: run)
        if call.isRepeatable, random.chance(50) { return .recordToolCall(run: run.id, outcome(of: call)) }
        let hasGroups = random.chance(20)
        let clauses = hasGroups && number == 4 ? [["finance", "legal"], ["risk"]] : []
        let requirement = random.maybe(
            RequiredApproval(
                name: "payments",
                groups: clauses.isEmpty ? (hasGroups ? ["finance", "risk"] : []) : clauses.flatMap(\.self).sorted(),
                needsEveryGroup: random.chance(50) || !clauses.isEmpty, duration: random.maybe(.seconds(60)),
                needsSignature: random.chance(30), mixedClauses: clauses))
        let block = BlockToolCall(
            actionID: newID(), requestID: newID(), reason: "a rule", headers: JSONText(verified: "{}"),
            payload: random.maybe([1, 2, 3]))
        return .beginToolCall(
            run: run.id,
            BeginToolCall(
                call: call, agentID: run.agentID, tool: .example, requirement: requirement,
                block: random.chance(90) ? block : nil))
    }

    /// What a call is follows from its fingerprint.
    private func call(_ id: ToolCallID, _ fingerprint: UUIDValue, in run: RunState) -> ToolCall {
        let action = run.actions.last { $0.isSpent && $0.status == .approved }
        return ToolCall(
            id: id, toolID: "stripe", capability: nil, method: fingerprint.low == 1 ? "GET" : "POST",
            url: "https://api.example.com/charges", payloadHash: PayloadHash("sha256:\(fingerprint.low)"),
            headersHash: fingerprint.low > 2 ? PayloadHash("sha256:h\(fingerprint.low)") : nil,
            fingerprint: fingerprint, isRepeatable: fingerprint.low == 1, actionID: action?.id)
    }

    private mutating func outcome(of call: ToolCall) -> ToolCalled {
        let outcomes: [ToolCalled.Outcome] = [
            .answered(statusCode: 200), .answered(statusCode: 500), .unreached(statusCode: 502, error: "refused"),
            .unknown(error: "broken off"),
        ]
        return ToolCalled(
            call: call, outcome: random.pick(outcomes), latency: .milliseconds(3), answerBytes: 17,
            answer: random.maybe([4, 5]))
    }
}

extension ToolIdentity {
    package static let example = ToolIdentity(
        id: ResourceID(UUIDValue(high: 7, low: 7)), origin: "https://tool.example")
}
