extension ActiveState {
    func storeSecrets(_ store: StoreSecrets, _ context: DecisionContext) throws(Rejection) -> [Event] {
        let owner = ResourceKey(workspace: context.workspace, kind: store.kind, name: store.owner)
        guard exactly(owner) != nil else { throw .resourceNotFound(owner.kind, owner.name) }
        for secret in store.secrets where SecretReference(owner: owner, name: secret.name).consentingUser != nil {
            guard let renewed = store.renewedKeyID else {
                throw Rejection(
                    .invalidArgument,
                    "the secret \(secret.name.excerpt) is a person's consent, which only that person gives: choose a "
                        + "name that does not begin with \"\(SecretReference.consentPrefix)\"")
            }
            guard secrets[owner]?[secret.name]?.keyID == renewed else {
                throw Rejection(.secretNotFound, "the consent ended, or another took its place, while it was renewed")
            }
        }
        var draft = SecretsDraft(count: secretCount)
        return try storeSecrets(store.secrets, of: owner, &draft, eventsBefore: 0, context)
    }

    func deleteSecret(_ delete: DeleteSecret, _ context: DecisionContext) throws(Rejection) -> [Event] {
        let owner = ResourceKey(workspace: context.workspace, kind: delete.kind, name: delete.owner)
        guard let owned = secrets[owner], let index = owned.index(forKey: delete.name),
            owned[index].key.isExactly(delete.name)
        else {
            throw Rejection(
                .secretNotFound, "\(owner.kind.singular) \"\(owner.name)\" has no secret \"\(delete.name.excerpt)\"")
        }
        return deleteSecrets([delete.name], of: owner, eventsBefore: 0, context)
    }

    /// Stores an owner's secrets, whether or not it is stored already; the caller sees to that.
    func storeSecrets(
        _ stored: [StoreSecret], of owner: ResourceKey, _ draft: inout SecretsDraft, eventsBefore: Int,
        _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let limits = context.settings.limits
        var events: [Event] = []
        for secret in stored {
            try checkText(secret.name, "a secret's name", required: true, bytesMax: limits.textBytesMax)
            guard secret.sealed.ciphertext.count <= limits.sealedSecretBytesMax else {
                throw Rejection(.invalidArgument, "the secret \(secret.name) is too long")
            }
            let reference = SecretReference(owner: owner, name: secret.name)
            guard draft.names.insert(reference).inserted else {
                throw Rejection(.invalidArgument, "the secret \(secret.name) is named twice")
            }
            let current = secrets[owner]?[secret.name]
            if current == nil { draft.count += 1 }
            guard draft.count <= limits.secretsMax else { throw .limitReached("secrets", limits.secretsMax) }
            events.append(
                context.event(
                    eventsBefore + events.count, stream: .secret(current?.id ?? secret.newID),
                    sequence: (current?.streamSequence ?? 0) + 1, person: reference.consentingUser,
                    .secretStored(
                        SecretStored(
                            kind: owner.kind, owner: owner.name, name: secret.name, sealed: secret.sealed,
                            replacedKeyID: current?.keyID))))
        }
        return events
    }

    /// Deletes secrets that the owner has, in the order given.
    func deleteSecrets(
        _ names: [String], of owner: ResourceKey, eventsBefore: Int, _ context: DecisionContext
    ) -> [Event] {
        var events: [Event] = []
        for name in names {
            guard let current = secrets[owner]?[name] else { continue }
            events.append(
                context.event(
                    eventsBefore + events.count, stream: .secret(current.id), sequence: current.streamSequence + 1,
                    person: SecretReference(owner: owner, name: name).consentingUser,
                    .secretDeleted(
                        SecretDeleted(kind: owner.kind, owner: owner.name, name: name, keyID: current.keyID))))
        }
        return events
    }

    /// The names of an owner's secrets, in order.
    func secretNames(of owner: ResourceKey) -> [String] { secrets[owner]?.keys.sorted() ?? [] }
}

/// What one command adds to the secrets, while it is being decided.
struct SecretsDraft {
    var names: Set<SecretReference> = []
    var count: Int

    init(count: Int) { self.count = count }
}
