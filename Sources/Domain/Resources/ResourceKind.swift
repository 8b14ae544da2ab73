/// The kinds of named things a team keeps in Sluice.
package enum ResourceKind: String, Hashable, Sendable, CaseIterable {
    case agent, tool, policy, modelProvider, identityProvider, approvalConnector

    /// The kind's name in event types and messages.
    package var singular: String {
        switch self {
        case .agent: "agent"
        case .tool: "tool"
        case .policy: "policy"
        case .modelProvider: "model_provider"
        case .identityProvider: "identity_provider"
        case .approvalConnector: "approval_connector"
        }
    }

    var storedTypeName: String {
        switch self {
        case .agent: "agent.deployed"
        case .tool: "tool.registered"
        case .policy: "policy.stored"
        case .modelProvider: "model_provider.registered"
        case .identityProvider: "identity_provider.registered"
        case .approvalConnector: "approval_connector.stored"
        }
    }

    var streamKind: StreamID.Kind {
        switch self {
        case .agent: .agent
        case .tool: .tool
        case .policy: .policy
        case .modelProvider: .modelProvider
        case .identityProvider: .identityProvider
        case .approvalConnector: .approvalConnector
        }
    }
}
