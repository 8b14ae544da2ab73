/// Asks a run's user to let the agent call a tool for them.
package struct RequireConsent: Hashable, Sendable {
    /// The id to use when the run does not wait for this consent yet.
    package let actionID: ActionID
    package let toolID: String
    /// Who makes the call, as the gate knows.
    package let agentID: String

    package init(actionID: ActionID, toolID: String, agentID: String) {
        self.actionID = actionID
        self.toolID = toolID
        self.agentID = agentID
    }
}

/// The user consented: their token for the tool, sealed.
package struct GiveConsent: Hashable, Sendable {
    package let actionID: ActionID
    package let token: StoreSecret
    /// What they consented to, as the tool's identity provider says.
    package let scope: String?

    package init(actionID: ActionID, token: StoreSecret, scope: String?) {
        self.actionID = actionID
        self.token = token
        self.scope = scope
    }
}
