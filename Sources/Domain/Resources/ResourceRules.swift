extension ActiveState {
    func storeResources(_ store: StoreResources, _ context: DecisionContext) throws(Rejection) -> [Event] {
        var events: [Event] = []
        var seen: Set<ResourceKey> = []
        var added: [ResourceKind: Int] = [:]
        var draft = SecretsDraft(count: secretCount)
        for item in store.items {
            try checkName(item.name, item.kind, context.settings.limits)
            try checkDocument(item.document, "spec", context.settings.limits)
            let key = ResourceKey(workspace: context.workspace, kind: item.kind, name: item.name)
            guard seen.insert(key).inserted else {
                throw Rejection(.invalidArgument, "\(item.kind.singular) \(item.name) is named twice")
            }
            let current = try stored(key)
            if item.kind == .modelAlias { try checkAlias(key, isNew: current == nil, seen, context.settings.limits) }
            if let expected = item.expectedRevision, (current?.revision ?? 0) != expected {
                guard current != nil else { throw .resourceNotFound(item.kind, item.name) }
                throw Rejection(
                    .revisionChanged, "\(item.kind.singular) \(item.name) was changed meanwhile: read it and try again")
            }
            if current == nil {
                if store.mustExist { throw .resourceNotFound(item.kind, item.name) }
                added[item.kind, default: 0] += 1
                let limit = context.settings.limits.resourcesPerKindMax
                guard resourceCount(item.kind) + added[item.kind, default: 0] <= limit else {
                    throw .limitReached("resources of one kind", limit)
                }
            } else if store.keepsExisting {
                continue
            }
            let stored = ResourceStored(
                kind: item.kind, name: item.name, revision: (current?.revision ?? 0) + 1, document: item.document,
                restoredRevision: item.restoredRevision)
            events.append(
                context.event(
                    events.count, stream: .resource(item.kind, current?.id ?? item.newID),
                    sequence: (current?.streamSequence ?? 0) + 1, .resourceStored(stored)))
            if let kept = item.keptSecrets {
                let given = Set(item.secrets.map(\.name))
                let dropped = secretNames(of: key).filter { !kept.contains($0) && !given.contains($0) }
                events += deleteSecrets(dropped, of: key, eventsBefore: events.count, context)
                draft.count -= dropped.count
            }
            events += try storeSecrets(item.secrets, of: key, &draft, eventsBefore: events.count, context)
        }
        return events
    }

    func deleteResource(
        _ kind: ResourceKind, _ name: String, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let current = try resource(kind, name, context)
        let deleted = context.event(
            0, stream: .resource(kind, current.id), sequence: current.streamSequence + 1,
            .resourceDeleted(ResourceDeleted(kind: kind, name: name)))
        let owner = ResourceKey(workspace: context.workspace, kind: kind, name: name)
        let events = [deleted] + deleteSecrets(secretNames(of: owner), of: owner, eventsBefore: 1, context)
        guard kind == .agent else { return events }
        return events + revokeKeys(ofAgent: name, eventsBefore: events.count, context)
    }

    func recordResourceStatus(
        _ recorded: ResourceStatusRecorded, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let current = try resource(recorded.kind, recorded.name, context)
        return [
            context.event(
                0, stream: .resource(recorded.kind, current.id), sequence: current.streamSequence + 1,
                .resourceStatusRecorded(recorded))
        ]
    }

    private func resource(
        _ kind: ResourceKind, _ name: String, _ context: DecisionContext
    ) throws(Rejection) -> ResourceState {
        let key = ResourceKey(workspace: context.workspace, kind: kind, name: name)
        guard let current = exactly(key) else { throw .resourceNotFound(kind, name) }
        return current
    }

    /// The resource whose name has the same bytes, as the read models compare: a key of the dictionary equals names that
    /// are canonically equivalent too.
    func exactly(_ key: ResourceKey) -> ResourceState? {
        guard let index = resources.index(forKey: key), resources[index].key.name.isExactly(key.name) else {
            return nil
        }
        return resources[index].value
    }

    /// The resource to store again; `nil` when there is none of that name.
    private func stored(_ key: ResourceKey) throws(Rejection) -> ResourceState? {
        let current = exactly(key)
        guard current == nil, resources[key] != nil else { return current }
        throw Rejection(
            .invalidArgument,
            "a \(key.kind.singular) whose name is canonically equivalent to \(key.name) exists: delete it first")
    }

    /// Names appear in URLs, file names and environment variables: no slash, no dots alone, no control character.
    private func checkName(_ name: String, _ kind: ResourceKind, _ limits: Limits) throws(Rejection) {
        let what = kind == .agent ? "agent_name" : "name"
        try checkText(name, what, required: true, bytesMax: 253)
        // Names of models have more: they are the rest of a path, and an alias may be a pattern.
        let others = kind == .modelAlias ? "-_. :@/*+" : "-_. :@"
        let isPlain = name.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || others.unicodeScalars.contains(scalar)
        }
        guard isPlain, name != ".", name != ".." else {
            let shown = others.filter { $0 != " " }.map(String.init).joined(separator: " ")
            throw Rejection(.invalidArgument, "\(what) may hold letters, digits, and \(shown) and spaces only")
        }
    }
}

extension Rejection {
    static func resourceNotFound(_ kind: ResourceKind, _ name: String) -> Rejection {
        switch kind {
        case .agent: Rejection(.resourceNotFound, "agent \(name) not found")
        case .tool: Rejection(.resourceNotFound, "tool \"\(name)\" not found")
        case .policy: Rejection(.resourceNotFound, "policy \"\(name)\" not found")
        case .modelProvider: Rejection(.resourceNotFound, "model provider \"\(name)\" not found")
        case .identityProvider: Rejection(.resourceNotFound, "identity provider \"\(name)\" not found")
        case .deployDraft: Rejection(.resourceNotFound, "deploy draft \(name) not found")
        case .settings: Rejection(.resourceNotFound, "settings \"\(name)\" not found")
        case .modelAlias: Rejection(.resourceNotFound, "model alias \"\(name)\" not found")
        case .approvalConnector: Rejection(.resourceNotFound, "approval connector \"\(name)\" not found")
        }
    }
}
