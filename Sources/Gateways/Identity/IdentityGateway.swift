import CommandHandling
import Authentication
package import Domain
package import Logging
package import Outbound
package import Projections

/// A person whose token was verified.
package struct SignedInPerson: Hashable, Sendable {
    package let person: Person
    package let userID: String
    package let groups: [String]
    /// What they may do at the API besides invoking agents; `nil` for nothing.
    package let role: Role?
    /// The end of the token's validity.
    package let expiresAt: Timestamp
}

/// Why nobody is signed in by a token.
package enum IdentityFailure: Error, Hashable, Sendable {
    /// The check that failed, for whoever sent the token.
    case token(String)
    /// The identity provider cannot be asked for its keys at this moment.
    case unavailable(String)
}

/// Finds out whom a token proves, by the identity providers of a workspace.
package struct IdentityGateway: Sendable {
    /// Providers of the same issuer that one token is tried with.
    private static let providersTriedMax = 8

    let directory: IdentityDirectory
    let documents: HTTPKeySetEndpoint
    private let keySets: KeySetCache
    /// The time that tokens are judged by: the wall clock's.
    private let now: @Sendable () -> Timestamp

    package init(
        projections: Projections, client: OutboundClient, now: @escaping @Sendable () -> Timestamp, logger: Logger
    ) {
        directory = IdentityDirectory(projections)
        documents = HTTPKeySetEndpoint(client)
        keySets = KeySetCache(documents, logger: logger)
        self.now = now
    }

    /// The provider whose people alone may invoke the agent; `nil` when it asks for none.
    package func provider(
        requiredBy agent: String, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> String? {
        try await directory.provider(requiredBy: agent, in: workspace)
    }

    /// Verifies a token: by the provider that the agent asks for, else by those of the token's issuer.
    ///
    /// - Parameter agent: the agent that is to be invoked, if one is.
    /// - Throws: `IdentityFailure`, or `ProjectionError`.
    package func person(
        provenBy text: String, in workspace: WorkspaceName, toInvoke agent: String?
    ) async throws -> SignedInPerson {
        let token: JSONWebToken
        do throws(TokenFailure) { token = try JSONWebToken(text) } catch { throw IdentityFailure.token(error.message) }
        var failure: IdentityFailure?
        for provider in try await candidates(token, workspace, agent).prefix(Self.providersTriedMax) {
            do throws(IdentityFailure) {
                return try await person(token, provider, provider.rules)
            } catch {
                failure = failure ?? error
            }
        }
        throw failure
            ?? IdentityFailure.token("no identity provider of workspace \(workspace.text) is the token's issuer")
    }

    private func candidates(
        _ token: JSONWebToken, _ workspace: WorkspaceName, _ agent: String?
    ) async throws -> [IdentityProvider] {
        let providers = try await directory.providers(in: workspace)
        if let agent, let name = try await directory.provider(requiredBy: agent, in: workspace) {
            guard let provider = providers.first(where: { $0.name == name }) else {
                throw IdentityFailure.token(
                    "the agent takes people of identity provider \"\(name.excerpt)\" alone, and there is none of that name"
                )
            }
            return [provider]
        }
        return providers.filter { $0.issuer == token.unverifiedIssuer }
    }

    func person(
        _ token: JSONWebToken, _ provider: IdentityProvider, _ rules: TokenRules
    ) async throws(IdentityFailure) -> SignedInPerson {
        let address = KeySetAddress(url: provider.keysURL, isInternal: provider.isInternal)
        let proven: ProvenIdentity
        do {
            let fetched = try await keySets.keys(of: address)
            do throws(TokenFailure) {
                proven = try rules.identity(of: token, keys: fetched.keys, at: now())
            } catch {
                guard error.mayPassWithNewerKeys else { throw error }
                let newer = try await keySets.keys(of: address, newerThan: fetched.generation)
                guard newer.generation != fetched.generation else { throw error }
                proven = try rules.identity(of: token, keys: newer.keys, at: now())
            }
        } catch let failure as TokenFailure {
            throw .token("\(failure.message) (identity provider \"\(provider.name.excerpt)\")")
        } catch let failure as KeySetUnavailable {
            throw .unavailable(
                "the keys of identity provider \"\(provider.name.excerpt)\" cannot be fetched: \(failure.reason)")
        } catch {
            preconditionFailure("a token is refused, or its keys are not to be had")
        }
        guard [proven.subject, proven.userID, proven.address ?? ""].allSatisfy(\.isNormalized) else {
            throw .token(
                "the token's subject, user id and e-mail address must be in Unicode normalization form C (NFC) "
                    + "(identity provider \"\(provider.name.excerpt)\")")
        }
        return SignedInPerson(
            person: Person(provider: provider.name, subject: proven.subject, address: proven.address),
            userID: proven.userID, groups: proven.groups.filter(\.isNormalized), role: provider.role,
            expiresAt: proven.expiresAt)
    }
}
