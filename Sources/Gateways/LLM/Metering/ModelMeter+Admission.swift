import CommandHandling
import Domain
import Projections

extension ModelMeter {
    /// Lets a call through with `nil`, with room reserved for it; or answers that a limit or a budget leaves none.
    ///
    /// Costs a few rows read by key where a limit or a budget holds for the call, and none elsewhere.
    ///
    /// - Throws: `ProjectionError` when limits and budgets cannot be looked up at the moment; `CommandError` when the
    ///   writer takes nothing, or not the user whom the caller names: what cannot be recorded is not made.
    package func admit(_ call: inout ModelCall) async throws -> EgressAnswer? {
        if let refusal = commands.refusal { throw refusal }
        // A run's user is known. Another one is named by the caller, and recording the call brings them in.
        if call.runID == nil, let user = call.user {
            try commands.check(person: user, CommandRequest(workspace: call.workspace, actor: call.caller.actor))
        }
        let subjects = ModelSubject.all(actor: call.caller.actor, user: call.user, model: call.model)
        let limits = try await limits.limits(in: call.workspace).flatMap { limit in
            subjects.filter(limit.covers).map { (limit: limit, subject: $0) }
        }
        let models = try call.agent.map { try self.models.models(of: $0, call.workspace) }
        let budgets = models?.hasBudget == true ? models : nil
        guard !limits.isEmpty || budgets != nil else { return nil }
        let request = SpendLedger.Request(
            call: call, limits: limits, models: budgets, amounts: CallEstimate.amounts(of: call),
            now: commands.clock.now())
        switch try ledger.reserve(request) {
        case .success(let reservation):
            call.reservation = reservation
            return nil
        case .failure(let refusal): return await answer(refusal.reason, call)
        }
    }

    private func answer(_ refusal: SpendLedger.Refusal, _ call: ModelCall) async -> EgressAnswer {
        switch refusal {
        case .budget(let standing):
            await record(ModelUsageReport(call: call, outcome: .overBudget, latency: .zero))
            return Self.answer(ofReached: standing, agent: call.agent ?? "", at: commands.clock.now())
        case .budgetReserved(let standing):
            return .limited(
                "calls of agent \(call.agent ?? "") in flight may use up the rest of its monthly budget of "
                    + "\(standing.budget) USD", seconds: 1)
        case .limit(let limit, let subject, let allowance, let standing):
            return await answer(limit, subject, allowance, standing, call)
        }
    }

    private static func answer(
        ofReached spent: BudgetStanding, agent: String, at now: Timestamp
    ) -> EgressAnswer {
        let what = spent.model.map { "model \"\($0)\"" } ?? "all its models"
        let renewal = CalendarMonth(containing: now).next.firstDay
        return .refusal(
            402, "BUDGET_REACHED",
            "agent \(agent) has reached its monthly budget of \(spent.budget) USD for \(what): raise monthly_budget_usd "
                + "with PUT /agents/{name}/config, or wait until \(renewal)",
            [
                .init(name: "budget_usd", value: .number(spent.budget.description)),
                .init(name: "spent_usd", value: .number(spent.spent.description)),
            ])
    }

    private func answer(
        _ limit: ModelLimit, _ subject: ModelSubject, _ allowance: ModelLimit.Allowance,
        _ standing: ModelLimit.Standing, _ call: ModelCall
    ) async -> EgressAnswer {
        let now = commands.clock.now()
        let amount =
            allowance.measure == .cost
            ? "\(MicroUSD(allowance.amount)) USD" : "\(allowance.amount) \(allowance.measure.rawValue)"
        let limited =
            "\(subject.kind.rawValue) \"\(subject.name.excerpt)\" may use \(amount) a \(allowance.window.rawValue) "
            + "(limit \(limit.name))"
        guard case .reached(let used) = standing else {
            return .limited("calls in flight may use up the rest: \(limited)", seconds: 1)
        }
        let end = allowance.window.end(containing: now)
        guard allowance.measure == .cost, allowance.window != .minute else {
            let seconds = max(1, (end.microseconds - now.microseconds + 999_999) / 1_000_000)
            return .limited(limited, seconds: seconds)
        }
        await record(ModelUsageReport(call: call, outcome: .overBudget, latency: .zero))
        return .refusal(
            402, "BUDGET_REACHED",
            "\(limited): raise it with PUT /model-limits/{name}, or wait until \(end.description)",
            [
                .init(name: "limit", value: .string(limit.name)),
                .init(name: "budget_usd", value: .number(MicroUSD(allowance.amount).description)),
                .init(name: "spent_usd", value: .number(MicroUSD(used).description)),
            ])
    }
}
