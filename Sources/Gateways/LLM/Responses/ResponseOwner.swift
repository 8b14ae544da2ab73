package import Domain

/// The principal that may refer to a response: the same agent or key, for the same user.
///
/// Providers check no more than the credentials, which all agents of a workspace share.
package struct ResponseOwner: Hashable, Sendable {
    private let workspace: WorkspaceName
    /// The agent; `nil` when the key is of no agent.
    private let agent: String?
    /// The key or person, when there is no agent.
    private let actor: Actor?
    private let user: PersonName?

    package init(workspace: WorkspaceName, agent: String?, actor: Actor, user: String?) {
        self.workspace = workspace
        self.agent = agent
        self.actor = agent == nil ? actor : nil
        self.user = user.map { PersonName(workspace: workspace, userID: $0) }
    }

    init(of request: LLMRequest, for run: CallingRun?) {
        let caller = request.caller
        self.init(
            workspace: request.workspace, agent: caller.agent, actor: caller.actor,
            user: run?.userID ?? caller.endUser)
    }
}
