import Audit
import Domain
import EventLog
import EventStore
import Outbound
import Secrets

extension Daemon {
    private static let witnessTimeout = Duration.seconds(20)
    private static let witnessAnswerBytesMax = 65_536

    /// What proves the log's history: its tree, the key that signs it, and the witnesses of both directions.
    ///
    /// - Parameter tree: of the records that the log had when it was opened.
    func makeAudit(
        _ log: FileLogBackend, _ vault: SecretVault, _ tree: MerkleFrontier, _ client: OutboundClient,
        _ directory: DataDirectory,
        now: @escaping @Sendable () -> Timestamp
    ) throws(DaemonError) -> AuditServices {
        let files = AuditFiles(directory.audit)
        let tiles = TileTree(log: log, directory: files.tiles, anchor: tree)
        let witnesses = configuration.audit.witnesses.map { witness in
            RemoteWitness(verifier: witness.verifier, url: witness.url) { url, body in
                let response = try await client.execute(
                    OutboundRequest(
                        "POST", OutboundURL.escaping(url), body: Array(body.utf8),
                        limits: OutboundLimits(
                            headTimeout: Self.witnessTimeout, bodyBytesMax: Self.witnessAnswerBytesMax)))
                return (response.status, String(decoding: try await response.body.collect(), as: UTF8.self))
            }
        }
        do {
            let keeper = try CheckpointKeeper(
                tree: tiles, files: files, witnesses: witnesses, now: now, logger: logger)
            return AuditServices(
                tree: tiles, keeper: keeper,
                exporter: AuditExporter(
                    log: log, personal: PersonKeys(vault: vault), tree: tiles, keeper: keeper),
                witness: try Witness(files: files, logs: configuration.audit.witnessedLogs, now: now))
        } catch {
            throw DaemonError(.directoryUnusable, error.description)
        }
    }
}
