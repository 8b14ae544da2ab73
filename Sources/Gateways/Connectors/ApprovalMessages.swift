package import Domain
import Governance
package import Projections

/// Makes messages of what the read models know.
package struct ApprovalMessages: Sendable {
    private let projections: Projections

    package init(projections: Projections) { self.projections = projections }

    /// `nil` when its subject is not known.
    package func message(
        _ label: DeliveryLabel, in workspace: WorkspaceName
    ) async throws -> ApprovalMessage? {
        let requirement = try await requirement(label.subject, in: workspace)
        switch label.subject {
        case .request(let id):
            guard let request = try await projections.accessRequest(id, in: workspace) else { return nil }
            return ApprovalMessage(
                deliveryID: label.id, workspace: workspace, subject: label.subject, agent: request.agentID,
                user: request.subject, tool: request.toolID, capability: request.capability, method: request.method,
                url: request.url, toolOrigin: request.tool?.origin, payloadHash: request.payloadHash, reason: nil,
                approvers: requirement, expiresAt: request.expiresAt, covers: request.coverage?.pendingSentence)
        case .action(let run, let id, let request):
            guard let run = try await projections.run(run, in: workspace),
                let action = try await projections.action(id, of: run.id)
            else { return nil }
            let call = try await projections.blockedCall(id, of: run.id)
            var covers: String?
            if let request, let asked = try await projections.accessRequest(request, in: workspace) {
                covers = asked.coverage?.pendingSentence
            }
            return ApprovalMessage(
                deliveryID: label.id, workspace: workspace, subject: label.subject, agent: run.agentID,
                user: run.userID, tool: action.toolID, capability: action.capability, method: action.method,
                url: action.url, payloadHash: action.payloadHash, reason: call?.reason,
                approvers: requirement, expiresAt: action.expiresAt, covers: covers,
                needsSignature: call?.requirement.needsSignature ?? false, headers: call?.headers,
                headersHash: call?.headersHash?.text)
        }
    }

    /// Who has to approve and how they are told: as the gate found when it blocked the call, else as the policies of the
    /// agent that the client names say now; `nil` when no policy is about it.
    func requirement(
        _ subject: DeliverySubject, in workspace: WorkspaceName
    ) async throws -> RequiredApproval? {
        switch subject {
        case .request(let id):
            guard let request = try await projections.accessRequest(id, in: workspace), let agent = request.agentID
            else { return nil }
            return try await stated(
                agent, request.toolID, request.capability, request.method, request.url, in: workspace)
        case .action(let run, let id, _):
            if let call = try await projections.blockedCall(id, of: run) { return call.requirement }
            guard let run = try await projections.run(run, in: workspace),
                let action = try await projections.action(id, of: run.id)
            else { return nil }
            return try await stated(
                run.agentID, action.toolID, action.capability, action.method, action.url, in: workspace)
        }
    }

    private func stated(
        _ agent: String, _ tool: String, _ capability: String?, _ method: String?, _ url: String?,
        in workspace: WorkspaceName
    ) async throws -> RequiredApproval? {
        guard let agentRecord = try await projections.resource(.agent, named: agent, in: workspace),
            let toolRecord = try await projections.resource(.tool, named: tool, in: workspace),
            let tool = try? GovernedTool(name: tool, document: toolRecord.document.value)
        else { return nil }
        let policies = try await projections.boundPolicies(
            of: GovernedAgent(name: agent, document: agentRecord.document.value), in: workspace)
        return RequiredApproval(
            ApprovalRequirement.stated(
                tool: tool, capability: capability, method: method, url: url.flatMap { try? NormalizedURL($0) },
                policies: policies), durationMax: nil)
    }

    /// How it came out; `nil` while nobody has decided.
    package func outcome(
        _ subject: DeliverySubject, in workspace: WorkspaceName
    ) async throws -> ApprovalOutcome? {
        switch subject {
        case .request(let id):
            guard let request = try await projections.accessRequest(id, in: workspace) else { return nil }
            let decision: ApprovalOutcome.Decision
            switch request.status {
            case .pending: return nil
            case .approved: decision = .approved
            case .rejected: decision = .rejected
            case .expired: decision = .expired
            }
            return ApprovalOutcome(decision: decision, approver: request.approverID, reason: request.reason)
        case .action(let run, let id, _):
            guard let action = try await projections.action(id, of: run) else { return nil }
            let decision: ApprovalOutcome.Decision
            switch action.status {
            case .blocked: return nil
            case .approved, .executed: decision = .approved
            case .rejected: decision = .rejected
            case .expired: decision = .expired
            case .failed: decision = .closed
            }
            return ApprovalOutcome(decision: decision, approver: action.approverID, reason: action.reason)
        }
    }
}
