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
        guard !created.onlyGroups || !created.groups.isEmpty else {
            throw Rejection(.invalidArgument, "only_groups needs groups: without any the key could decide on nothing")
        }
        try checkText(created.agent, "agent", bytesMax: 253)
        guard created.agent == nil || created.role == .agent else {
            throw Rejection(.invalidArgument, "agent is for a key of role agent only")
        }
    }

    func revokeAPIKey(_ id: APIKeyID, _ context: DecisionContext) throws(Rejection) -> [Event] {
        let key = try apiKey(id, context)
        try checkAdmins(without: id, afterwards: nil, context)
        return [
            context.event(
                0, stream: .apiKey(id), sequence: key.streamSequence + 1, .apiKeyRevoked(APIKeyRevoked()))
        ]
    }

    func rotateAPIKey(
        _ id: APIKeyID, _ rotate: RotateAPIKey, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let key = try apiKey(id, context)
        guard key.name != APIKeyState.configuredName || key.workspace != .default else {
            throw Rejection(
                .apiKeyConfigured,
                "this key is the one of \(APIKeyState.configuredName): give the variable another value and restart")
        }
        guard key.expiresAt.map({ context.time < $0 }) ?? true else {
            throw Rejection(.apiKeyNotFound, "api key \(id) has expired: make a new one")
        }
        guard !apiKeys.values.contains(where: { $0.digest == rotate.digest }) else {
            throw Rejection(.apiKeyExists, "this API key exists already")
        }
        let expiresAt = rotate.lifetime.map { context.time.adding($0) } ?? key.expiresAt
        try checkAdmins(without: id, afterwards: .some(expiresAt), context)
        let graceEnd = context.time.adding(rotate.grace)
        let rotated = APIKeyRotated(
            digest: rotate.digest, prefix: rotate.prefix, last4: rotate.last4, expiresAt: expiresAt,
            previousUntil: rotate.grace > .zero ? min(graceEnd, key.expiresAt ?? graceEnd) : nil)
        return [
            context.event(0, stream: .apiKey(id), sequence: key.streamSequence + 1, .apiKeyRotated(rotated))
        ]
    }

    /// The ends of the keys that are for an agent, for the command that deletes it: a key does not pass to the next agent
    /// of that name.
    func revokeKeys(ofAgent name: String, eventsBefore: Int, _ context: DecisionContext) -> [Event] {
        let bound = apiKeys.filter {
            $0.value.workspace == context.workspace && $0.value.agent?.isExactly(name) == true
        }
        return bound.sorted { $0.key < $1.key }.enumerated().map { index, key in
            context.event(
                eventsBefore + index, stream: .apiKey(key.key), sequence: key.value.streamSequence + 1,
                .apiKeyRevoked(APIKeyRevoked()))
        }
    }

    private func apiKey(_ id: APIKeyID, _ context: DecisionContext) throws(Rejection) -> APIKeyState {
        guard let key = apiKeys[id], key.workspace == context.workspace else {
            throw Rejection(.apiKeyNotFound, "api key \(id) not found")
        }
        return key
    }

    /// Somebody has to be able to make keys for ever: an admin of the default workspace may for all of them.
    ///
    /// - Parameter afterwards: the end that the key will have; `nil` when it is revoked.
    private func checkAdmins(
        without id: APIKeyID, afterwards: Timestamp??, _ context: DecisionContext
    ) throws(Rejection) {
        func isAdmin(_ key: APIKeyState) -> Bool { key.role == .admin && key.workspace == .default }
        func isGood(_ end: Timestamp?) -> Bool { end.map { context.time < $0 } ?? true }
        guard let key = apiKeys[id], isAdmin(key), isGood(key.expiresAt) else { return }
        let others = apiKeys.lazy.filter { $0.key != id && isAdmin($0.value) }.map(\.value.expiresAt)
        var ends = Array(others)
        if let afterwards { ends.append(afterwards) }
        // Where none lasts for ever already, one that is good now has to do.
        let lasts =
            ends.contains(nil) || (key.expiresAt != nil && ends.contains(where: isGood))
        guard lasts else {
            throw Rejection(
                .lastAdminKey,
                "this is the last admin key of the default workspace that does not expire: make another one first")
        }
    }
}
