/// What is decided on a call, and why.
package struct Verdict: Hashable, Sendable {
    package enum Decision: Hashable, Sendable {
        case allow(DecidingRule)
        case deny(DecidingRule)
        case approvalRequired(DecidingRule, ApprovalRequirement)
    }

    package let decision: Decision
    package let explanation: Explanation
    /// What of the tool the call is, when it is not denied.
    package let capability: CapabilityMatch?
    /// The URL to forward when it is not denied: forwarding another spelling would call what was not judged.
    package let url: NormalizedURL?

    package var rule: DecidingRule {
        switch decision {
        case .allow(let rule), .deny(let rule), .approvalRequired(let rule, _): rule
        }
    }

    package var permission: PolicyPermission {
        switch decision {
        case .allow: .allow
        case .deny: .deny
        case .approvalRequired: .approvalRequired
        }
    }
}

/// What decided: a rule of a policy, or one that always holds.
package enum DecidingRule: Hashable, Sendable {
    case unknownTool(String)
    case invalidURL(String)
    /// Headers that two servers could read in two ways.
    case invalidHeaders(String)
    case outsideTool(String)
    /// A bound policy that is missing or unreadable.
    case unusablePolicy(name: String, reason: String)
    case policy(name: String, index: Int, PolicyRule)
    /// Policies are bound, and none has a rule for the call.
    case defaultDeny
    case accessMode(GovernedTool.AccessMode, isBound: Bool)
    case requireApproval
    case noCapability

    /// The stable word for programs.
    package var code: String {
        switch self {
        case .unknownTool: "unknown_tool"
        case .invalidURL: "invalid_url"
        case .invalidHeaders: "invalid_headers"
        case .outsideTool: "outside_tool"
        case .unusablePolicy: "unusable_policy"
        case .policy: "policy_rule"
        case .defaultDeny: "default_deny"
        case .accessMode: "access_mode"
        case .requireApproval: "require_approval"
        case .noCapability: "no_capability"
        }
    }

    /// One sentence that says what decided.
    package var reason: String {
        switch self {
        case .unknownTool(let name): "no tool is registered as \"\(name.isEmpty ? "-" : name)\""
        case .invalidURL(let reason): "the URL \(reason)"
        case .invalidHeaders(let reason): reason
        case .outsideTool(let base): "the URL is not below the tool's base URL \(base)"
        case .unusablePolicy(let name, let reason): "policy \"\(name)\" is bound to the agent and \(reason)"
        case .policy(let name, let index, let rule): "policy \"\(name)\", rule \(index + 1): \(rule)"
        case .defaultDeny: "no rule of the agent's policies covers the call, and what no rule covers is denied"
        case .accessMode(.open, _): "the agent has no policies and the tool's access mode is Open"
        case .accessMode(.restricted, true):
            "the agent has no policies, the tool's access mode is Restricted and the agent's required tools name it"
        case .accessMode(.restricted, false):
            "the agent has no policies, the tool's access mode is Restricted and the agent's required tools do not name it"
        case .accessMode(.critical, _): "the tool's access mode is Critical: every call needs an approval"
        case .requireApproval: "the tool has requireApproval: every call needs an approval"
        case .noCapability:
            "the tool declares capabilities, and none has this method and path by every reading of the path"
        }
    }
}

/// The way to a verdict: each thing looked at, in order.
package struct Explanation: Hashable, Sendable {
    package enum Stage: String, Hashable, Sendable {
        case tool, url, policies, rules
        case accessMode = "access_mode"
        case capability, approval
    }

    package struct Step: Hashable, Sendable {
        package let stage: Stage
        package let finding: String
    }

    package private(set) var steps: [Step] = []
    /// Whether anybody reads the steps: making their texts costs more than the verdict.
    let isKept: Bool

    init(isKept: Bool) { self.isKept = isKept }

    mutating func add(_ stage: Stage, _ finding: @autoclosure () -> String) {
        if isKept { steps.append(Step(stage: stage, finding: finding())) }
    }
}
