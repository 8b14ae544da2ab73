extension Command {
    /// The user id of the person whom a client names, and who may be new.
    package var namedPerson: String? {
        switch self {
        case .createRun(let create): create.userID
        case .requestAccess(let request): request.subject
        default: nil
        }
    }

    /// The identifiers that a client names and that the command would bring into the log, with the field of each.
    ///
    /// Those of other commands are in the log already, or are not compared.
    package var newNames: [(field: String, name: String)] {
        switch self {
        case .storeResources(let store):
            store.items.flatMap { item in
                [(item.kind == .agent ? "agent_name" : "name", item.name)]
                    + item.secrets.map { ("a secret's name", $0.name) }
            }
        case .createRun(let create): [("agent_id", create.agentID), ("user_id", create.userID)]
        case .blockAction(_, let block): [("tool_id", block.toolID)] + Self.given("capability", block.capability)
        case .requestAccess(let request):
            [("subject", request.subject), ("tool_id", request.toolID)] + Self.given("agent_id", request.agentID)
                + Self.given("capability", request.capability)
        case .createAPIKey(_, let created):
            [("name", created.name)] + created.groups.map { ("groups", $0) } + Self.given("agent", created.agent)
        case .storeSecrets(let store):
            [("the owner's name", store.owner)] + store.secrets.map { ("a secret's name", $0.name) }
        case .requestBuild(_, let requested): [("name", requested.name)]
        case .deleteResource, .recordResourceStatus, .addRunEvents, .changeRunStatus, .failRun, .approveAction,
            .rejectAction, .expireAction, .markActionExecuted, .markActionFailed, .approveAccess, .rejectAccess,
            .expireAccess, .saveCheckpoint, .recordToolResult, .beginToolCall, .recordToolCall,
            .recordInterruptedCall, .recordRefusedCall, .requireConsent, .giveConsent, .requestInvoke,
            .completeInvoke, .failInvoke, .revokeAPIKey, .rotateAPIKey, .recordAnswer, .recordModelCall, .takeModelCall,
            .startDelivery, .endDelivery, .decideByLink, .recordAnalysis, .startBuild, .finishBuild, .expireRun,
            .deleteSecret, .erasePerson, .recordErasure, .acceptKeyLoss, .stop, .start:
            []
        }
    }

    private static func given(_ field: String, _ name: String?) -> [(field: String, name: String)] {
        name.map { [(field, $0)] } ?? []
    }
}
