import CommandHandling
import Domain
import Governance
import Projections

/// Tools that act for a person: nothing goes out, and no approver is asked, before that person has consented.
extension EgressGateway {
    /// What the agent is told when the run's user has to consent first; `nil` when nothing has to wait for that.
    func missingConsent(_ asked: AskedCall) async throws -> EgressAnswer? {
        do throws(CredentialError) {
            guard case .userOAuth2(let authorization) = try Consents.authentication(asked.document),
                try await consents.tokens.token(of: asked.run.userID, for: asked.owner, authorization) == nil
            else { return nil }
        } catch {
            return .refusal(502, "CREDENTIALS_UNUSABLE", error.description)
        }
        let require = RequireConsent(
            actionID: commands.newID(), toolID: asked.tool.name, agentID: asked.run.agentID)
        let receipt = try await commands.execute(
            .requireConsent(run: asked.run.id, require), asked.commandRequest)
        try await projections.reach(receipt.position)
        let waiting = commands.activeRun(asked.run.id)?.consent(toolID: asked.tool.name)?.id ?? require.actionID
        return consentRequired(asked.tool.name, waiting, asked.run)
    }

    func consentRequired(_ tool: String, _ action: ActionID, _ run: RunState) -> EgressAnswer {
        .refusal(
            403, "CONSENT_REQUIRED",
            "tool \"\(tool)\" acts for the run's user, who has to consent first: let them open authorization_url",
            [
                .init(name: "authorization_url", value: .string(consents.link(run: run.id, action: action))),
                .init(name: "resume_id", value: .string(action.description)),
                .init(name: "action_id", value: .string(action.description)),
                .init(name: "run_id", value: .string(run.id.description)),
                .init(name: "tool", value: .string(tool)),
            ])
    }

    /// Gives calls their credentials: the user's token where the tool acts for them, else what the tool has.
    func injector(for asked: AskedCall) throws(CredentialError) -> any CredentialInjector {
        if case .userOAuth2(let authorization) = try Consents.authentication(asked.document) {
            return UserTokenInjector(consents.tokens, user: asked.run.userID, tool: asked.owner, authorization)
        }
        return try credentials.injector(
            for: asked.owner, authentication: asked.document["spec"]?["connection"]?["authentication"],
            isInternal: asked.tool.isInternal)
    }
}

extension AskedCall {
    fileprivate var owner: ResourceKey { ResourceKey(workspace: run.workspace, kind: .tool, name: tool.name) }
}
