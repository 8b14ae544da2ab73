import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Projections

/// Deploys that somebody is putting together, and comes back to: their versions are the revisions in the log.
extension APIHandlers {
    private static let draftPrefix = "draft-"

    func listDrafts(_ request: APIRequest) async throws -> APIAnswer {
        try checkNotOfOneAgent(request)
        let status = try DraftDocument.Status.named(request.query("status"))
        let mine = request.query("mine")
        guard mine == nil || mine == "0" || mine == "1" else { throw APIError.badRequest("mine must be 0 or 1") }
        let drafts = try await projections.resources(.deployDraft, in: request.workspace).filter { record in
            let draft = DraftDocument(stored: record.document.value)
            return (status == nil || draft.status == status) && (mine != "1" || draft.owner == request.principal.scope)
        }
        let showsSources = Permission.manageResources.isGranted(to: request.principal)
        let known = try await knownNames(request)
        var shown: [JSONText] = []
        for draft in drafts {
            shown.append(
                draft.draftJSON(showsSources: showsSources, missing: try await missing(of: draft, known, request)))
        }
        return APIAnswer(.ok, JSONText(array: shown))
    }

    func getDraft(_ request: APIRequest) async throws -> APIAnswer {
        try checkNotOfOneAgent(request)
        let record = try await draft(request.parameter("name"), request)
        return try await answer(
            .ok, record, showsSources: Permission.manageResources.isGranted(to: request.principal), request)
    }

    func createDraft(_ request: APIRequest) async throws -> APIAnswer {
        try await createDraft(named: nil, request)
    }

    /// - Parameter id: the id that the draft is to have; a new one without it.
    func createDraft(named id: String?, _ request: APIRequest) async throws -> APIAnswer {
        let receipt = try await execute(ResourcesToStore([try newDraft(named: id, request)]), request)
        guard let stored = receipt.stored.first else { throw APIError.conflict("the draft was not stored; try again") }
        return try await answer(.created, stored.name, request, receipt)
    }

    /// Changes members of a draft that is in progress; a status ends it as `complete` and `abandon` do.
    func changeDraft(_ request: APIRequest) async throws -> APIAnswer {
        try await changeDraft(try request.parameter("name"), request)
    }

    func changeDraft(_ id: String, _ request: APIRequest) async throws -> APIAnswer {
        let record = try await changeableDraft(id, request)
        let (item, status) = try changed(record, request)
        switch status {
        case .completed:
            let changed = DraftDocument(stored: item.document.value)
            return try await complete(record, changed, expecting: item.expectedRevision, request)
        case .inProgress, .abandoned, nil:
            let receipt = try await execute(ResourcesToStore([item], mustExist: true), request)
            return try await answer(.ok, id, request, receipt)
        }
    }

    func deleteDraft(_ request: APIRequest) async throws -> APIAnswer {
        let id = try request.parameter("name")
        _ = try await ownDraft(id, request)
        let receipt = try await execute(.deleteResource(kind: .deployDraft, name: id), request)
        return APIAnswer(.ok, .object { $0.add("status", "deleted") }, position: receipt.position)
    }

    /// Deploys what the draft says. A completed one stays as it is.
    func completeDraft(_ request: APIRequest) async throws -> APIAnswer {
        let record = try await ownDraft(try request.parameter("name"), request)
        let draft = DraftDocument(stored: record.document.value)
        guard draft.status != .completed else { return try await answer(.ok, record, request) }
        return try await complete(record, draft, request)
    }

    func abandonDraft(_ request: APIRequest) async throws -> APIAnswer {
        let id = try request.parameter("name")
        let record = try await ownDraft(id, request)
        var draft = DraftDocument(stored: record.document.value)
        guard draft.status != .abandoned else { return try await answer(.ok, record, request) }
        try Self.checkInProgress(id, draft)
        draft.set(.abandoned)
        let receipt = try await execute(ResourcesToStore([record.item(draft)], mustExist: true), request)
        return try await answer(.ok, id, request, receipt)
    }

    /// The draft of a body, not stored yet.
    func newDraft(named given: String?, _ request: APIRequest) throws -> ResourcesToStore.Item {
        let principal = request.principal
        let draft = try DraftDocument(
            request.body, user: principal.endUser?.userID ?? principal.name, owner: principal.scope)
        let id: ResourceID = commands.newID()
        return ResourcesToStore.Item(
            kind: .deployDraft, name: given ?? Self.draftPrefix + id.description, document: draft.value.text,
            expectedRevision: given.map { _ in 0 })
    }

    /// The draft as the body changes it, and the status that it asks for.
    func changed(
        _ record: ResourceRecord, _ request: APIRequest
    ) throws -> (item: ResourcesToStore.Item, status: DraftDocument.Status?) {
        let expected = try request.body.integer("expected_version", in: 1...Int.max)
        let status = try DraftDocument.Status.named(request.body.text("status"))
        var draft = DraftDocument(stored: record.document.value)
        try draft.change(request.body)
        if status == .abandoned { draft.set(.abandoned) }
        var item = record.item(draft)
        // The rules compare it, after they have looked whether this very request was carried out before.
        if let expected { item.expectedRevision = UInt64(expected) }
        return (item, status)
    }

    /// A draft that may be changed by whoever asks.
    func changeableDraft(_ id: String, _ request: APIRequest) async throws -> ResourceRecord {
        let record = try await ownDraft(id, request)
        try Self.checkInProgress(id, DraftDocument(stored: record.document.value))
        return record
    }

    /// The deploy of a draft: the body's own members go before.
    func deployment(
        of record: ResourceRecord, changedTo draft: DraftDocument? = nil, expecting revision: UInt64? = nil,
        _ request: APIRequest
    ) async throws -> (order: DeployOrder, resources: ResourcesToStore, artifact: Artifact?) {
        var draft = draft ?? DraftDocument(stored: record.document.value)
        try checkOwner(record, request)
        guard draft.status != .abandoned else {
            throw APIError.conflict("deploy draft \(record.name) is ABANDONED: make another one")
        }
        let body = try draft.deployBody(record.name, over: request.body)
        let (order, artifact) = try await order(request.with(body: body, idempotency: nil))
        // Who deploys from a draft again redeploys the agent; the draft stays completed.
        guard draft.status == .inProgress else { return (order, ResourcesToStore(order.resources), artifact) }
        draft.set(.completed)
        var item = record.item(draft)
        if let revision { item.expectedRevision = revision }
        return (order, ResourcesToStore(order.resources + [item]), artifact)
    }

    private func complete(
        _ record: ResourceRecord, _ draft: DraftDocument, expecting revision: UInt64? = nil, _ request: APIRequest
    ) async throws -> APIAnswer {
        let request = request.with(body: .object([]), idempotency: request.idempotency)
        let (order, resources, _) = try await deployment(
            of: record, changedTo: draft, expecting: revision, request)
        _ = try await seedPolicies(for: order, resources, request)
        let receipt = try await execute(resources, request)
        return try await answer(.ok, record.name, request, receipt)
    }

    private func answer(
        _ status: HTTPResponse.Status, _ id: String, _ request: APIRequest, _ receipt: Receipt
    ) async throws -> APIAnswer {
        try await answer(status, try await draft(id, request), position: receipt.position, request)
    }

    private func answer(
        _ status: HTTPResponse.Status, _ record: ResourceRecord, showsSources: Bool = true,
        position: Position? = nil, _ request: APIRequest
    ) async throws -> APIAnswer {
        let missing = try await missing(of: record, try await knownNames(request), request)
        return APIAnswer(status, record.draftJSON(showsSources: showsSources, missing: missing), position: position)
    }

    /// The names in a draft that the workspace does not have now, by kind.
    private func missing(
        of record: ResourceRecord, _ known: AgentFindings.Known, _ request: APIRequest
    ) async throws -> JSONText? {
        var document = DraftDocument(stored: record.document.value).references
        if let artifact = document["artifact_id"]?.string, try await build(named: artifact, request) != nil {
            document.set("artifact_id", nil)
        }
        return AgentFindings(document, known).missing
    }

    private func draft(_ id: String, _ request: APIRequest) async throws -> ResourceRecord {
        try await resource(.deployDraft, id, request, notFound: Self.notFound(.deployDraft, id))
    }

    private func ownDraft(_ id: String, _ request: APIRequest) async throws -> ResourceRecord {
        let record = try await draft(id, request)
        try checkOwner(record, request)
        return record
    }

    /// A draft is its maker's, and every admin's.
    private func checkOwner(_ record: ResourceRecord, _ request: APIRequest) throws(APIError) {
        let draft = DraftDocument(stored: record.document.value)
        guard draft.owner == request.principal.scope || request.principal.role == .admin else {
            throw APIError(
                .forbidden, .forbidden,
                "deploy draft \(record.name) is \(draft.user ?? "another user")'s: make your own, or use an admin's key"
            )
        }
    }

    private static func checkInProgress(_ id: String, _ draft: DraftDocument) throws(APIError) {
        guard draft.status == .inProgress else {
            throw .conflict("deploy draft \(id.excerpt) is \(draft.status.rawValue), which is final: make another one")
        }
    }
}

extension ResourceRecord {
    /// The draft with other contents, unless somebody else changes it first.
    func item(_ draft: DraftDocument) -> ResourcesToStore.Item {
        ResourcesToStore.Item(
            kind: .deployDraft, name: name, document: draft.value.text, expectedRevision: revision)
    }

    /// - Parameters:
    ///   - showsSources: for whoever may deploy; agents' sources are not for others either.
    ///   - missing: the names in it that the workspace does not have.
    func draftJSON(showsSources: Bool, missing: JSONText? = nil) -> JSONText {
        let draft = DraftDocument(stored: document.value)
        return .object { json in
            json.add("id", name)
            json.add("namespace", workspace.text)
            json.add("user_id", draft.user)
            json.add("status", draft.status.rawValue)
            for member in draft.members where showsSources || member.name != "source_files" {
                json.add(member.name, member.value.text)
            }
            json.add("missing", missing)
            json.add("version", revision)
            json.add("created_at", createdAt)
            json.add("updated_at", updatedAt)
        }
    }
}
