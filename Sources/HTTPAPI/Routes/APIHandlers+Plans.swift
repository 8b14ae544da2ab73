import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Projections

/// Plans: several requests in one, each checked and carried out by what serves its own endpoint.
extension APIHandlers {
    func validatePlan(_ request: APIRequest) async throws -> APIAnswer {
        let plan = try ActionPlan(request.body)
        var results: [(action: ActionPlan.Action, found: PlanCheck)] = []
        for action in plan.actions { results.append((action, await check(action, plan, request))) }
        let answer = JSONText.object { json in
            json.add("plan_id", plan.id)
            json.add("namespace", request.workspace.text)
            json.add("valid", results.allSatisfy(\.found.errors.isEmpty))
            json.add("results", results.map { $0.action.json($0.found) })
        }
        return APIAnswer(.ok, answer)
    }

    /// Carries out the actions in their order. What was carried out under a key before is answered again and not done again.
    func applyPlan(_ request: APIRequest) async throws -> APIAnswer {
        let plan: ActionPlan
        do throws(APIError) { plan = try ActionPlan(request.body) } catch {
            return Self.answer(.badRequest, nil, [], request, error: error.message)
        }
        var results: [PlanResult] = []
        if !plan.continuesOnError {
            // A plan that is wrong somewhere is not begun.
            for action in plan.actions {
                let errors = await check(action, plan, request).errors
                results.append(
                    PlanResult(action, errors.isEmpty ? .skipped : .invalid, error: errors.joined(separator: "; ")))
            }
            guard results.allSatisfy({ $0.status != .invalid }) else {
                return Self.answer(.badRequest, plan.id, results, request)
            }
            results = []
        }
        for action in plan.actions {
            let isStopped = !plan.continuesOnError && results.contains { $0.status != .applied }
            results.append(isStopped ? PlanResult(action, .skipped) : await apply(action, request))
        }
        return Self.answer(.ok, plan.id, results, request, position: projections.position)
    }

    private static func answer(
        _ status: HTTPResponse.Status, _ id: String?, _ results: [PlanResult], _ request: APIRequest,
        error: String? = nil, position: Position? = nil
    ) -> APIAnswer {
        let applied = results.count { $0.status == .applied }
        let answer = JSONText.object { json in
            json.add("plan_id", id)
            json.add("namespace", request.workspace.text)
            json.add("applied", !results.isEmpty && applied == results.count)
            json.add("applied_count", applied)
            json.add("failed_count", results.count { $0.status == .failed || $0.status == .invalid })
            json.add("results", results.map(\.json))
            json.add("error", error)
        }
        return APIAnswer(status, answer, position: position)
    }

    private func apply(_ action: ActionPlan.Action, _ request: APIRequest) async -> PlanResult {
        guard let kind = action.kind, let key = action.key, action.errors.isEmpty else {
            return PlanResult(action, .invalid, error: action.errors.joined(separator: "; "))
        }
        do {
            try Self.check(kind.permission, request.principal)
            let token = idempotency(ofAction: key, action, request)
            let answer = try await self.answer(request.with(body: action.params, idempotency: token)) {
                try await self.handler(of: kind)($0)
            }
            return PlanResult(action, .applied, output: answer.body)
        } catch {
            let error = APIError(error)
            return PlanResult(action, error.status == .badRequest ? .invalid : .failed, error: error.message)
        }
    }

    private static func check(_ permission: Permission, _ principal: Principal) throws(APIError) {
        guard permission.isGranted(to: principal) else { throw notPermitted(principal, permission) }
    }

    private func handler(of kind: ActionPlan.Kind) -> RouteTable.Handler {
        switch kind {
        case .tool: return { try await self.upsert(.tool, $0) }
        case .modelProvider: return { try await self.upsert(.modelProvider, $0) }
        case .policy: return { try await self.upsert(.policy, $0) }
        case .draft:
            return { request in
                let id = try ActionPlan.draftID(request.body)
                guard let id, try await !self.isNewDraft(id, request) else {
                    return try await self.createDraft(named: id, request)
                }
                return try await self.changeDraft(id, request)
            }
        case .deploy: return deploy
        case .starterKit: return starterKit
        }
    }

    /// Whether the action would be carried out now.
    private func check(
        _ action: ActionPlan.Action, _ plan: ActionPlan, _ request: APIRequest
    ) async -> PlanCheck {
        var found = PlanCheck(errors: action.errors)
        guard let kind = action.kind else { return found }
        let request = request.with(body: action.params, idempotency: nil)
        do {
            try Self.check(kind.permission, request.principal)
            // What was carried out is answered again, whatever became of it since.
            if let key = action.key, action.errors.isEmpty,
                try await commands.recordedAnswer(
                    idempotency(ofAction: key, action, request), request.workspace) != nil
            {
                found.warnings.append("this was applied before under its idempotency_key: it is not done again")
                return found
            }
            let resources = try await self.resources(of: kind, plan.actions.prefix { $0.key != action.key }, request)
            try await check(resources, request)
            if kind == .deploy { found.warnings += try await missing(resources, plan, request) }
        } catch {
            found.errors.append(APIError(error).message)
        }
        return found
    }

    /// - Parameter earlier: the plan's actions before this one: a draft may be of their making.
    private func resources(
        of kind: ActionPlan.Kind, _ earlier: some Sequence<ActionPlan.Action>, _ request: APIRequest
    ) async throws -> ResourcesToStore {
        switch kind {
        case .tool: return ResourcesToStore([try Self.item(.tool, request.body)])
        case .modelProvider: return ResourcesToStore([try Self.item(.modelProvider, request.body)])
        case .policy: return ResourcesToStore([try Self.item(.policy, request.body)])
        case .draft:
            let id = try ActionPlan.draftID(request.body)
            guard let id, try await !isNewDraft(id, request) else {
                return ResourcesToStore([try newDraft(named: id, request)])
            }
            let record = try await changeableDraft(id, request)
            let (item, status) = try changed(record, request)
            guard status == .completed else { return ResourcesToStore([item], mustExist: true) }
            let body = request.with(body: .object([]), idempotency: nil)
            return try await deployment(
                of: record, changedTo: DraftDocument(stored: item.document.value), body
            ).resources
        case .deploy:
            return try await deployment(try await withPlannedDraft(earlier, request)).resources
        case .starterKit: return starterKitResources(request)
        }
    }

    /// True when an action that names a draft makes it: it is not there, and no version of it is expected.
    private func isNewDraft(_ id: String, _ request: APIRequest) async throws -> Bool {
        guard request.body["expected_version"] ?? .null == .null else { return false }
        return try await projections.resource(.deployDraft, named: id, in: request.workspace) == nil
    }

    /// The deploy with the members of the draft that it names, where earlier actions of the plan make or change that.
    private func withPlannedDraft(
        _ earlier: some Sequence<ActionPlan.Action>, _ request: APIRequest
    ) async throws -> APIRequest {
        guard let id = try request.body.text("draft_id") else { return request }
        let changes = try earlier.filter { try $0.kind == .draft && ActionPlan.draftID($0.params) == id }
        guard let first = changes.first else { return request }
        let record = try await projections.resource(.deployDraft, named: id, in: request.workspace)
        var draft =
            try record.map { DraftDocument(stored: $0.document.value) }
            ?? DraftDocument(first.params, user: request.principal.name, owner: request.principal.scope)
        for change in changes { try draft.change(change.params) }
        var body = try draft.deployBody(id, over: request.body)
        body.set("draft_id", nil)
        return request.with(body: body, idempotency: nil)
    }

    /// What a deploy names that neither exists nor is made by the plan, with the consequences.
    private func missing(
        _ resources: ResourcesToStore, _ plan: ActionPlan, _ request: APIRequest
    ) async throws -> [String] {
        guard let agent = resources.items.first(where: { $0.kind == .agent }) else { return [] }
        var known = try await knownNames(request)
        for action in plan.actions {
            let name = action.params["name"]?.string ?? ""
            switch action.kind {
            case .tool: known.tools.insert(name)
            case .policy: known.policies.insert(name)
            case .modelProvider: known.insert(modelProvider: name, action.params)
            case .starterKit:
                for item in starterKitResources(request).items {
                    if item.kind == .tool { known.tools.insert(item.name) }
                    if item.kind == .modelProvider { known.insert(modelProvider: item.name, item.document.value) }
                }
            case .draft, .deploy, nil: continue
            }
        }
        return AgentFindings(agent.document.value, known).warnings
    }

    /// Not to be mistaken for a request's own key: those have no space in them.
    private func idempotency(
        ofAction key: String, _ action: ActionPlan.Action, _ request: APIRequest
    ) -> IdempotencyToken {
        idempotency(
            key: "plan " + key, of: request.principal, "\(action.type)\n", Array(action.params.text.text.utf8))
    }
}
