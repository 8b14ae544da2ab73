/// A secret to keep with a resource, sealed before it came here.
package struct StoreSecret: Hashable, Sendable {
    package let name: String
    package let sealed: SealedSecret
    /// The id to use when the owner has no secret of that name yet.
    package let newID: SecretID

    package init(name: String, sealed: SealedSecret, newID: SecretID) {
        self.name = name
        self.sealed = sealed
        self.newID = newID
    }
}

/// Stores secrets of a resource that exists, all or none; one of the same name is replaced.
///
/// A person's consent is only renewed: the first token comes with the person's own consent, and one that was deleted
/// meanwhile does not come back.
package struct StoreSecrets: Hashable, Sendable {
    package let kind: ResourceKind
    package let owner: String
    package let secrets: [StoreSecret]
    /// The key of the consent that is renewed; `nil` where none is.
    package let renewedKeyID: DataKeyID?

    package init(kind: ResourceKind, owner: String, secrets: [StoreSecret], renewedKeyID: DataKeyID? = nil) {
        self.kind = kind
        self.owner = owner
        self.secrets = secrets
        self.renewedKeyID = renewedKeyID
    }
}

/// Deletes one secret.
package struct DeleteSecret: Hashable, Sendable {
    package let kind: ResourceKind
    package let owner: String
    package let name: String

    package init(kind: ResourceKind, owner: String, name: String) {
        self.kind = kind
        self.owner = owner
        self.name = name
    }
}
