import CommandHandling
import Domain

/// Resources as requests bring them, checked, with their secrets still to be sealed.
struct ResourcesToStore: Sendable {
    struct Item: Sendable {
        let kind: ResourceKind
        let name: String
        var document: JSONText
        var secrets: [NamedSecret] = []
        /// Which of its other secrets stay; `nil` keeps them all.
        var keptSecrets: Set<String>?
        /// 0 for one that must not exist.
        var expectedRevision: UInt64?
        /// For an agent, the members that it keeps of the one that it replaces.
        var inheritance: AgentInheritance?
        /// For an agent, the earlier revision that a rollback brings back.
        var restoredRevision: UInt64?
    }

    var items: [Item]
    var mustExist = false
    var keepsExisting = false

    init(_ items: [Item], mustExist: Bool = false, keepsExisting: Bool = false) {
        self.items = items
        self.mustExist = mustExist
        self.keepsExisting = keepsExisting
    }

    /// The revisions that the resources are tied to.
    var revisions: [UInt64?] { items.map(\.expectedRevision) }
}

extension APIHandlers {
    /// Stores all of them or none, in one command.
    func store(_ resources: ResourcesToStore, _ request: APIRequest) async throws -> Receipt {
        let brought = resources.items.map { (owner: owner(of: $0, request), secrets: $0.secrets) }
        return try await execute(sealing: brought, request) { command(storing: resources, sealed: $0, request) }
    }

    /// Asks the rules of the write side alone.
    func checkRules(_ resources: ResourcesToStore, _ request: APIRequest) throws {
        try commands.check(command(storing: resources, sealed: [:], request), request.commandRequest)
    }

    private func command(
        storing resources: ResourcesToStore, sealed: [ResourceKey: [StoreSecret]], _ request: APIRequest
    ) -> Command {
        let items = resources.items.map { item in
            var stored = StoreResources.Item(
                kind: item.kind, name: item.name, newID: commands.newID(), document: item.document,
                secrets: sealed[owner(of: item, request)] ?? [], keptSecrets: item.keptSecrets,
                expectedRevision: item.expectedRevision)
            stored.restoredRevision = item.restoredRevision
            return stored
        }
        return .storeResources(
            StoreResources(items: items, mustExist: resources.mustExist, keepsExisting: resources.keepsExisting))
    }

    private func owner(of item: ResourcesToStore.Item, _ request: APIRequest) -> ResourceKey {
        ResourceKey(workspace: request.workspace, kind: item.kind, name: item.name)
    }
}

extension Receipt {
    /// The resources that the command has stored.
    var stored: [ResourceStored] {
        events.compactMap { recorded in
            if case .resourceStored(let stored) = recorded.event.payload { stored } else { nil }
        }
    }
}
