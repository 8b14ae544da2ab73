/// A secret was stored, anew or in place of an older one.
package struct SecretStored: Hashable, Sendable {
    package let kind: ResourceKind
    package let owner: String
    package let name: String
    package let sealed: SealedSecret
    /// The key of the secret that this one replaces; nobody needs it any more.
    package let replacedKeyID: DataKeyID?

    package init(kind: ResourceKind, owner: String, name: String, sealed: SealedSecret, replacedKeyID: DataKeyID?) {
        self.kind = kind
        self.owner = owner
        self.name = name
        self.sealed = sealed
        self.replacedKeyID = replacedKeyID
    }
}

/// A secret was deleted, alone or with its owner; its key is to be destroyed.
package struct SecretDeleted: Hashable, Sendable {
    package let kind: ResourceKind
    package let owner: String
    package let name: String
    package let keyID: DataKeyID

    package init(kind: ResourceKind, owner: String, name: String, keyID: DataKeyID) {
        self.kind = kind
        self.owner = owner
        self.name = name
        self.keyID = keyID
    }
}

extension EventPayload {
    /// The data key that nobody needs once this event is durable.
    package var obsoleteKeyID: DataKeyID? {
        switch self {
        case .secretStored(let stored): stored.replacedKeyID
        case .secretDeleted(let deleted): deleted.keyID
        default: nil
        }
    }
}
