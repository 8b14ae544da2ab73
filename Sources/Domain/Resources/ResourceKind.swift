/// The kinds of named things a team keeps in Sluice.
package enum ResourceKind: String, Hashable, Sendable, CaseIterable {
    case agent, tool, policy, modelProvider, identityProvider, approvalConnector
    /// A deploy that somebody is putting together.
    case deployDraft
    /// What a workspace has chosen, under the name of what it is about.
    case settings
    /// Another name, or a pattern of names, of a model.
    case modelAlias

    /// The kind's name in event types and messages.
    package var singular: String {
        switch self {
        case .agent: "agent"
        case .tool: "tool"
        case .policy: "policy"
        case .modelProvider: "model_provider"
        case .identityProvider: "identity_provider"
        case .deployDraft: "deploy_draft"
        case .settings: "settings"
        case .approvalConnector: "approval_connector"
        case .modelAlias: "model_alias"
        }
    }

    var storedTypeName: String {
        switch self {
        case .agent: "agent.deployed"
        case .tool: "tool.registered"
        case .policy: "policy.stored"
        case .modelProvider: "model_provider.registered"
        case .identityProvider: "identity_provider.registered"
        case .deployDraft: "deploy_draft.stored"
        case .settings: "settings.stored"
        case .approvalConnector: "approval_connector.stored"
        case .modelAlias: "model_alias.stored"
        }
    }

    var streamKind: StreamID.Kind {
        switch self {
        case .agent: .agent
        case .tool: .tool
        case .policy: .policy
        case .modelProvider: .modelProvider
        case .identityProvider: .identityProvider
        case .deployDraft: .deployDraft
        case .settings: .settings
        case .approvalConnector: .approvalConnector
        case .modelAlias: .modelAlias
        }
    }
}
