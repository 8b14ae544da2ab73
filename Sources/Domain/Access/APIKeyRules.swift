extension ActiveState {
    func createAPIKey(
        _ id: APIKeyID, _ created: APIKeyCreated, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let limits = context.settings.limits
        try checkText(created.name, "name", required: true, bytesMax: limits.textBytesMax)
        try checkHolder(created)
        guard apiKeys.count < limits.apiKeysMax else { throw .limitReached("API keys", limits.apiKeysMax) }
        guard !apiKeys.values.contains(where: { $0.digest == created.digest }) else {
            throw Rejection(.apiKeyExists, "this API key exists already")
        }
        return [context.event(0, stream: .apiKey(id), sequence: 1, .apiKeyCreated(created))]
    }

    private func checkHolder(_ created: APIKeyCreated) throws(Rejection) {
        guard created.groups.count <= GroupName.perKeyMax else {
            throw Rejection(.invalidArgument, "groups must have at most \(GroupName.perKeyMax) entries")
        }
        guard created.groups.allSatisfy(GroupName.isValid) else {
            throw Rejection(.invalidArgument, "groups must be names of \(GroupName.rule)")
        }
        try checkText(created.agent, "agent", bytesMax: 253)
        guard created.agent == nil || created.role == .agent else {
            throw Rejection(.invalidArgument, "agent is for a key of role agent only")
        }
    }

    func revokeAPIKey(_ id: APIKeyID, _ context: DecisionContext) throws(Rejection) -> [Event] {
        guard let key = apiKeys[id], key.workspace == context.workspace else {
            throw Rejection(.apiKeyNotFound, "api key \(id) not found")
        }
        return [context.event(0, stream: .apiKey(id), sequence: 2, .apiKeyRevoked(APIKeyRevoked()))]
    }
}
