/// What proves the log's history to others.
package struct AuditServices: Sendable {
    package let tree: TileTree
    package let keeper: CheckpointKeeper
    package let exporter: AuditExporter
    package let witness: Witness

    package init(tree: TileTree, keeper: CheckpointKeeper, exporter: AuditExporter, witness: Witness) {
        self.tree = tree
        self.keeper = keeper
        self.exporter = exporter
        self.witness = witness
    }
}
