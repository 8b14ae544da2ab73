import Domain
import Foundation
import Secrets

/// A vault's files in a directory, as a daemon has them.
struct VaultFixture {
    let directory: String
    var configured: MasterKey?

    init(_ directory: String, configured: MasterKey? = nil) {
        self.directory = directory
        self.configured = configured
    }

    var keyringPath: String { directory + "/keyring" }
    var masterKeyPath: String { directory + "/master.key" }
    var masterKeyFile: MasterKeyFile { MasterKeyFile(path: masterKeyPath) }

    func keyring() throws(SecretsError) -> Keyring {
        try Keyring.open(path: keyringPath, configured: configured, masterKeyFile: masterKeyFile)
    }

    func vault() async throws(SecretsError) -> SecretVault {
        try await SecretVault(try keyring()) {
            UUIDValue(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))
        }
    }

    func rotate(to successor: MasterKey? = nil) throws(SecretsError) -> Int {
        try Keyring.rotateMasterKey(
            path: keyringPath, configured: configured, successor: successor, masterKeyFile: masterKeyFile)
    }

    /// What opening the vault is refused with.
    func refusal() async -> SecretsErrorCode? {
        do throws(SecretsError) {
            _ = try await vault()
            return nil
        } catch {
            return error.code
        }
    }

    func contents(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: path)) }

    static func reference(
        _ name: String = "api_key", owner: String = "stripe", kind: ResourceKind = .tool, workspace: String = "default"
    ) -> SecretReference {
        SecretReference(
            owner: ResourceKey(workspace: WorkspaceName(workspace) ?? .default, kind: kind, name: owner), name: name)
    }
}

extension SecretVault {
    /// Makes keys that count for no principal.
    func makeKeys(of people: Set<PersonName>) async throws(SecretsError) {
        try await makeKeys(of: Dictionary(uniqueKeysWithValues: people.map { ($0, Actor.bootstrap) }))
    }
}

/// The code of the error that `body` throws; `nil` when it throws none.
func code(_ body: () async throws(SecretsError) -> Void) async -> SecretsErrorCode? {
    do throws(SecretsError) {
        try await body()
        return nil
    } catch {
        return error.code
    }
}
