package import CommandHandling
package import Domain
package import Projections
package import Secrets
import Synchronization

/// Makes the injector for a resource's calls from its specification and its sealed secrets.
///
/// Secrets are opened for each call and not kept; access tokens are kept in memory, for as long as the secrets that
/// they were asked for with are the same. A token ends by the time of events, counted from when it was given; signatures have
/// the wall clock's time.
package final class CredentialStore: Sendable {
    /// Tools whose access tokens are kept at the same time.
    private static let tokensMax = 1024

    private struct TokenKey: Hashable {
        let owner: ResourceKey
        let keys: [DataKeyID]
        let authentication: Authentication
        let isInternal: Bool
    }

    private let projections: Projections
    private let vault: SecretVault
    private let endpoint: any TokenEndpoint
    private let clock: any WallClock
    private let clients = Mutex<[TokenKey: ClientCredentialsInjector]>([:])

    package init(
        projections: Projections, vault: SecretVault, endpoint: any TokenEndpoint, clock: any WallClock
    ) {
        self.projections = projections
        self.vault = vault
        self.endpoint = endpoint
        self.clock = clock
    }

    /// - Parameters:
    ///   - authentication: `spec.connection.authentication` of a tool, `spec.auth` of a model provider.
    ///   - isInternal: true when the owner has the topology Internal, and its token endpoint with it.
    package func injector(
        for owner: ResourceKey, authentication document: JSONValue?, isInternal: Bool = false
    ) throws(CredentialError) -> any CredentialInjector {
        let authentication = try Authentication(document)
        guard authentication != .none else { return NoCredential() }
        let (values, keys) = try secrets(of: owner)
        let injector = try Self.injector(authentication, values, owner, endpoint, isInternal: isInternal, clock)
        guard let client = injector as? ClientCredentialsInjector else { return injector }
        let key = TokenKey(owner: owner, keys: keys, authentication: authentication, isInternal: isInternal)
        return clients.withLock { clients in
            if let existing = clients[key] { return existing }
            // Tokens of rotated secrets are of no use, and whatever else goes is fetched again.
            for old in clients.keys where old.owner == owner { clients[old] = nil }
            if clients.count >= Self.tokensMax, let some = clients.keys.first { clients[some] = nil }
            clients[key] = client
            return client
        }
    }

    /// Opens the owner's secrets, but not its users' tokens. One that is replaced between reading and opening is read
    /// once more.
    func secrets(
        of owner: ResourceKey
    ) throws(CredentialError) -> (values: [String: String], keys: [DataKeyID]) {
        for isLast in [false, true] {
            do {
                let records = try projections.secrets(of: owner, except: SecretReference.consentPrefix)
                var values: [String: String] = [:]
                for record in records {
                    values[record.reference.name] = String(
                        decoding: try vault.open(record.sealed, of: record.reference), as: UTF8.self)
                }
                return (values, records.map(\.sealed.keyID))
            } catch let error as SecretsError where error.code == .keyDestroyed && !isLast {
                continue
            } catch {
                throw CredentialError(
                    .unreadable, "the secrets of \(owner.kind.singular) \"\(owner.name)\" cannot be opened: \(error)")
            }
        }
        preconditionFailure("the last try returns or throws")
    }
}

extension CredentialStore {
    /// The injector of one kind of authentication, given the secrets' values by name.
    package static func injector(
        _ authentication: Authentication, _ values: [String: String], _ owner: ResourceKey,
        _ endpoint: any TokenEndpoint, isInternal: Bool = false, _ clock: any WallClock
    ) throws(CredentialError) -> any CredentialInjector {
        func value(_ name: String) throws(CredentialError) -> String {
            if let value = values[name] { return value }
            let kind = owner.kind.singular
            throw CredentialError(
                .missing,
                "\(kind) \"\(owner.name)\" has no secret \(name): set it with `sluice secrets set \(name) --owner "
                    + "\(kind)/\(owner.name)`")
        }
        switch authentication {
        case .none: return NoCredential()
        case .apiKey(let place, let name, let prefix):
            return APIKeyInjector(
                place: try APIKeyInjector.Place(place, name), valuePrefix: prefix ?? (name == nil ? "Bearer " : ""),
                key: try value("api_key"))
        case .oauth2(let url, let scopes, let parameters, let client):
            let method = try Authentication.clientAuthentication(client)
            let request = TokenRequest(
                url: url, clientID: try value("client_id"), clientSecret: try value("client_secret"), scopes: scopes,
                parameters: parameters, authentication: method, isInternal: isInternal)
            return ClientCredentialsInjector(request, endpoint: endpoint) { clock.now() }
        case .userOAuth2: throw Authentication.consentUnsupported
        case .awsSignature(let region, let service):
            let (region, service) = try Authentication.signing(region, service)
            let signer = SigV4Signer(
                accessKeyID: try value("access_key_id"), secretAccessKey: try value("secret_access_key"),
                sessionToken: values["session_token"], region: region, service: service)
            return AWSSignatureInjector(signer: signer) { clock.wallTime() }
        }
    }
}

extension APIKeyInjector.Place {
    init(_ place: String, _ name: String?) throws(CredentialError) {
        switch place.lowercased() {
        case "header": self = .header(name ?? "Authorization")
        case "query":
            guard let name, !name.isEmpty else {
                throw CredentialError(.malformed, "an API key in the query needs apiKeyConfig.name")
            }
            self = .query(name)
        default: throw CredentialError(.malformed, "apiKeyConfig.in must be Header or Query")
        }
    }
}
