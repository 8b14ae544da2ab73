import HTTPTypes

extension RouteTable {
    /// Proofs of what the log says, and of no other moment than a size names, and the protocol of witnesses (C2SP tlog-tiles, tlog-witness).
    mutating func addAudit(_ api: APIHandlers) {
        let prefixes = Self.rootPrefixes
        onRaw(.get, "/audit/checkpoint", under: prefixes, .read, asOf: .refused, api.checkpoint)
        onRaw(.get, "/audit/key", under: prefixes, .read, asOf: .refused, api.checkpointKey)
        on(
            .get, "/audit/proof/inclusion", under: prefixes, .read, query: ["position", "size"], asOf: .refused,
            api.inclusionProof)
        on(
            .get, "/audit/proof/consistency", under: prefixes, .read, query: ["from", "to"], asOf: .refused,
            api.consistencyProof)
        onRaw(.get, "/audit/tile/**", under: prefixes, .read, asOf: .refused, api.tile)
        onRaw(
            .get, "/runs/:id/audit/export", under: prefixes, .read, query: ["format", "schema", "after"],
            asOf: .refused, api.exportRun)
        on(.get, "/runs/:id/actions/:action/receipt", under: prefixes, .read, asOf: .refused, api.actionReceipt)
        for path in ["/governance/requests", "/approvals/requests"] {
            on(.get, path + "/:id/receipt", under: prefixes, .read, asOf: .refused, api.accessReceipt)
        }
        // The witnessed log's signature is what allows it.
        onUnread(.post, APIHandlers.addCheckpointPath, nil, api.witness)
    }
}
