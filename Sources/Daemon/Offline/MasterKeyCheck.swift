import Secrets

/// Checks that a kept copy of the master key is the one that a data directory's keyring is wrapped under.
package struct MasterKeyCheck: Sendable {
    private let directory: DataDirectory

    package init(dataDirectory: String) { directory = DataDirectory(dataDirectory) }

    /// Unwraps every key, beside the daemon too; nothing is changed, and nothing of a key is shown.
    ///
    /// - Returns: the number of keys that the file opens, and everything that does not fit.
    /// - Throws: `DaemonError.notFound` without a keyring, `.secretsUnusable` for a file that holds no master key.
    package func run(_ file: String) throws(DaemonError) -> (opened: Int, problems: [String]) {
        let proof: MasterKeyProof?
        do throws(SecretsError) {
            proof = try MasterKeyProof(of: MasterKeyFile(path: file), for: directory.keyring)
        } catch  where error.code == .masterKeyWrong {
            return (0, [error.description])
        } catch {
            throw DaemonError(error)
        }
        guard let proof else {
            throw DaemonError(.notFound, "there is no keyring \(directory.keyring); choose another --data-dir")
        }
        var problems = proof.problems(of: "the keyring")
        if proof.isExposed { problems.append("other users may read \(file): `chmod 600` it") }
        return (proof.opened, problems)
    }
}
