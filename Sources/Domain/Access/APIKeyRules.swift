extension ActiveState {
    func createAPIKey(
        _ id: APIKeyID, _ created: APIKeyCreated, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let limits = context.settings.limits
        try checkText(created.name, "name", required: true, bytesMax: limits.textBytesMax)
        guard apiKeys.count < limits.apiKeysMax else { throw .limitReached("API keys", limits.apiKeysMax) }
        guard !apiKeys.values.contains(where: { $0.digest == created.digest }) else {
            throw Rejection(.apiKeyExists, "this API key exists already")
        }
        return [context.event(0, stream: .apiKey(id), sequence: 1, .apiKeyCreated(created))]
    }

    func revokeAPIKey(_ id: APIKeyID, _ context: DecisionContext) throws(Rejection) -> [Event] {
        guard let key = apiKeys[id], key.workspace == context.workspace else {
            throw Rejection(.apiKeyNotFound, "api key \(id) not found")
        }
        return [context.event(0, stream: .apiKey(id), sequence: 2, .apiKeyRevoked(APIKeyRevoked()))]
    }
}
