import HTTPTypes

extension RouteTable {
    /// Proofs of what the log says, and the protocol of witnesses (C2SP tlog-tiles, tlog-witness).
    mutating func addAudit(_ api: APIHandlers) {
        let prefixes = Self.rootPrefixes.filter { !$0.hasPrefix("/as/") }
        onRaw(.get, "/audit/checkpoint", under: prefixes, .read, api.checkpoint)
        onRaw(.get, "/audit/key", under: prefixes, .read, api.checkpointKey)
        on(.get, "/audit/proof/inclusion", under: prefixes, .read, api.inclusionProof)
        on(.get, "/audit/proof/consistency", under: prefixes, .read, api.consistencyProof)
        onRaw(.get, "/audit/tile/**", under: prefixes, .read, api.tile)
        onRaw(.get, "/runs/:id/audit/export", under: prefixes, .read, api.exportRun)
        on(.get, "/runs/:id/actions/:action/receipt", under: prefixes, .read, api.actionReceipt)
        for path in ["/governance/requests", "/approvals/requests"] {
            on(.get, path + "/:id/receipt", under: prefixes, .read, api.accessReceipt)
        }
        // The witnessed log's signature is what allows it.
        onUnread(.post, APIHandlers.addCheckpointPath, nil, api.witness)
    }
}
