import CommandHandling
import Domain
import Projections

extension APIHandlers {
    /// Attempts to store resources that others change at the same time.
    private static let attemptsMax = 16

    /// Stores all of them or none, in one command, when their secrets stay with their origins.
    func execute(_ resources: ResourcesToStore, _ request: APIRequest) async throws -> Receipt {
        var checked = try await withOriginsChecked(resources, request)
        for _ in 1..<Self.attemptsMax {
            do {
                return try await store(checked, request)
            } catch let error as CommandError {
                guard case .rejected(let rejection) = error,
                    [.revisionChanged, .resourceNotFound].contains(rejection.code)
                else { throw error }
                // What the rules know may not be visible yet.
                try await projections.reach(commands.durablePosition)
                let latest = try await withOriginsChecked(resources, request)
                guard latest.revisions != checked.revisions else { throw error }
                checked = latest
            }
        }
        return try await store(checked, request)
    }

    /// Checks that the rules would accept them now; nothing is written.
    func check(_ resources: ResourcesToStore, _ request: APIRequest) async throws {
        try checkRules(try await withOriginsChecked(resources, request), request)
    }

    /// The same resources with the members that agents keep, each tied to the revision that it was compared with; one that
    /// moves keeps no secret that it does not bring.
    private func withOriginsChecked(
        _ resources: ResourcesToStore, _ request: APIRequest
    ) async throws -> ResourcesToStore {
        var checked = resources
        for index in checked.items.indices {
            try await keepMembers(&checked.items[index], request)
            try await checkOrigins(&checked.items[index], keepsExisting: resources.keepsExisting, request)
        }
        return checked
    }

    /// Completes an agent with the members that it keeps, and ties it to the revision that they were read of.
    private func keepMembers(_ item: inout ResourcesToStore.Item, _ request: APIRequest) async throws {
        guard let inheritance = item.inheritance else { return }
        let record = try await projections.resource(item.kind, named: item.name, in: request.workspace)
        if item.expectedRevision == nil { item.expectedRevision = record?.revision ?? 0 }
        guard let record else { return }
        item.document = inheritance.applied(to: item.document.value, from: record.document.value).text
        if inheritance.keepsEnvironment { item.keptSecrets = nil }
    }

    private func checkOrigins(
        _ item: inout ResourcesToStore.Item, keepsExisting: Bool, _ request: APIRequest
    ) async throws {
        guard [.tool, .modelProvider, .identityProvider].contains(item.kind), !keepsExisting else { return }
        let record = try await projections.resource(item.kind, named: item.name, in: request.workspace)
        if item.expectedRevision == nil { item.expectedRevision = record?.revision ?? 0 }
        guard let record else { return }
        let origins = SecretOrigins(item.kind, name: item.name, document: item.document.value)
        let moved = origins.moved(
            from: SecretOrigins(item.kind, name: item.name, document: record.document.value))
        guard !moved.isEmpty else { return }
        let owner = ResourceKey(workspace: request.workspace, kind: item.kind, name: item.name)
        let given = Set(item.secrets.map(\.name))
        let missing = try projections.secrets(of: owner).map(\.reference).filter { secret in
            secret.consentingUser == nil && !given.contains(secret.name)
                && origins.used?.contains(secret.name) ?? true
        }
        guard missing.isEmpty else {
            throw SecretOrigins.refusal(moved, secrets: missing.map { "credentials.\($0.name)" }.sorted())
        }
        item.keptSecrets = []
    }
}
