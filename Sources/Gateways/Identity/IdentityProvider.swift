import Authentication
package import Domain

/// What the gateway has to know of an identity provider, read from its stored document.
package struct IdentityProvider: Sendable {
    package static let leewayDefault = 60

    package let workspace: WorkspaceName
    package let name: String
    let issuer: String
    let keysURL: String
    let rules: TokenRules
    /// What its people may do at the API; `nil` when its tokens prove who invokes an agent and no more.
    package let role: Role?
    /// Whether the document says, by `topology: Internal`, that its keys are on private addresses.
    let isInternal: Bool
    /// The client by which people sign in with their browser; `nil` when tokens alone prove them.
    package let client: SignInClient?

    /// `nil` for a document that no version of the API would have stored.
    package init?(name: String, document: JSONValue, in workspace: WorkspaceName = .default) {
        let spec = document["spec"]
        guard let issuer = spec?["identityProvider"]?["issuer"]?.string,
            let keysURL = spec?["identityProvider"]?["jwksUri"]?.string, let claim = spec?["userIDClaim"]?.string
        else { return nil }
        let leeway = spec?["leeway_seconds"]?.wholeNumber
        self.workspace = workspace
        self.name = name
        self.issuer = issuer
        self.keysURL = keysURL
        role = spec?["role"]?.string.flatMap(Role.init(rawValue:))
        client = SignInClient(spec?["identityProvider"])
        isInternal = spec?["topology"]?.string == "Internal"
        rules = TokenRules(
            issuer: issuer, audiences: (spec?["identityProvider"]?["audiences"]).strings, userIDClaim: claim,
            allowedDomains: (spec?["allowedDomains"]).strings, groupsClaim: spec?["groupsClaim"]?.string,
            leeway: .seconds(leeway ?? Self.leewayDefault))
    }
}
