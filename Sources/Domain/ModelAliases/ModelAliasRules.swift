extension ActiveState {
    /// Checks that no alias of the workspace may match the same names as well as this one does.
    ///
    /// - Parameter others: resources that the same command stores.
    func checkAlias(
        _ key: ResourceKey, isNew: Bool, _ others: Set<ResourceKey>, _ limits: Limits
    ) throws(Rejection) {
        func isOther(_ other: ResourceKey) -> Bool {
            other.kind == .modelAlias && other.workspace == key.workspace && !other.name.isExactly(key.name)
        }
        let aliases = Set(resources.keys.lazy.filter(isOther)).union(others.filter(isOther))
        guard !isNew || aliases.count < limits.modelAliasesMax else {
            throw .limitReached("model aliases of a workspace", limits.modelAliasesMax)
        }
        let pattern = ModelNamePattern(key.name)
        let other = aliases.map(\.name).sorted().first { pattern.conflicts(with: ModelNamePattern($0)) }
        guard let other else { return }
        throw Rejection(
            .modelAliasAmbiguous,
            "model alias \"\(key.name)\" and model alias \"\(other)\" may match the same name, and have the same text "
                + "before their first *: delete the other one, or lengthen one of them there")
    }
}
