package import CommandHandling
import Domain
package import Logging
package import Projections

/// Keeps account of calls of models: whether a budget lets them through, and what they used and cost.
package struct ModelMeter: Sendable {
    /// How often the writer is asked to record a call while it is overloaded or its disk full.
    private static let recordAttemptsMax = 50

    let commands: CommandHandler
    let projections: Projections
    let logger: Logger
    let models: AgentModelsCache
    let limits: ModelLimitsCache
    let ledger: SpendLedger
    private let metrics = ModelMetrics()

    package init(commands: CommandHandler, projections: Projections, logger: Logger) {
        self.commands = commands
        self.projections = projections
        self.logger = logger
        models = AgentModelsCache(projections)
        limits = ModelLimitsCache(projections)
        ledger = SpendLedger(projections)
    }

    /// The call that a request is when it goes to that provider, for that model.
    func call(_ request: LLMRequest, of run: CallingRun?, to provider: ModelProvider, as model: String) -> ModelCall {
        let caller = request.caller
        return ModelCall(
            caller: caller, workspace: request.workspace, runID: run?.id, agent: caller.agent ?? run?.agentID,
            user: run?.userID ?? caller.endUser?.recordable, provider: provider.name,
            providerKind: provider.kind.recordable, prices: provider.prices, model: model.recordable,
            askedModel: model == request.model ? nil : request.model.recordable,
            operation: request.operation.rawValue, document: request.document, earlier: request.earlier)
    }

    /// True unless the agent's configuration turns the journal of its model calls off.
    func isJournaled(_ request: LLMRequest) throws(ProjectionError) -> Bool {
        guard let agent = request.caller.agent else { return false }
        return try models.models(of: agent, request.workspace).isJournaled
    }

    /// The limits that the agent's deploy names for its runs.
    func limits(of agent: String, _ workspace: WorkspaceName) throws(ProjectionError) -> RunLimitOverrides {
        try models.models(of: agent, workspace).limits
    }

    /// Records a call on its run, or else on its provider. Returns once that is durable and seen by `admit`; when it
    /// cannot be recorded, the log says so and the caller gets the answer all the same.
    package func record(_ report: ModelUsageReport) async {
        let called = called(report)
        metrics.count(called)
        let request = CommandRequest(
            workspace: report.call.workspace, actor: report.call.caller.actor,
            traceparent: report.call.caller.traceparent)
        var failure: (any Error)?
        for attempt in 1...Self.recordAttemptsMax {
            do throws(CommandError) {
                let receipt = try await commands.execute(
                    .recordModelCall(run: report.call.runID, called, report.answer), request)
                try? await projections.reach(receipt.position)
                settle(report.call, called)
                return
            } catch {
                failure = error
                guard error.mayPass, attempt < Self.recordAttemptsMax else { break }
                // Cut short when the caller has gone away; the writer is asked again all the same.
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
        logger.error(
            "a call of a model was not recorded",
            metadata: [
                "provider": "\(called.provider)", "model": "\(called.model)", "agent": "\(called.agentID ?? "-")",
                "error": "\(failure.map { "\($0)" } ?? "")",
            ])
    }

    private func settle(_ call: ModelCall, _ called: ModelCalled) {
        let tokens = (called.usage?.prompt ?? 0) + (called.usage?.completion ?? 0)
        call.reservation?.settle(CallAmounts(tokens: tokens, cost: called.cost ?? .zero), at: commands.clock.now())
    }

    private func called(_ report: ModelUsageReport) -> ModelCalled {
        let call = report.call
        let price = report.usage == nil ? nil : call.price
        let cost = report.usage.flatMap { usage in price?.cost(of: usage) }
        // What a call cost is recorded also while the budgets cannot be read.
        let standings = (try? budgets(of: call)) ?? []
        return ModelCalled(
            provider: call.provider, providerKind: call.providerKind, model: call.model,
            role: entry(of: call)?.role?.recordable, operation: call.operation, agentID: call.agent,
            userID: call.user, isStreamed: report.isStreamed, outcome: report.outcome, usage: report.usage,
            isEstimated: report.isEstimated, latency: report.latency, timeToFirstByte: report.timeToFirstByte,
            price: price, cost: cost,
            isNearBudget: standings.contains { $0.adding(cost ?? .zero).status != .active },
            askedModel: call.askedModel)
    }

    private func entry(of call: ModelCall) -> AgentModels.Entry? {
        guard let agent = call.agent, let models = try? models.models(of: agent, call.workspace) else { return nil }
        return models.entry(provider: call.provider, kind: call.providerKind, model: call.model)
    }

    private func budgets(of call: ModelCall) throws(ProjectionError) -> [BudgetStanding] {
        guard let agent = call.agent else { return [] }
        let models = try models.models(of: agent, call.workspace)
        guard models.hasBudget else { return [] }
        return models.budgets(
            provider: call.provider, kind: call.providerKind, model: call.model,
            spending: try projections.modelSpending(
                of: agent, in: CalendarMonth(containing: commands.clock.now()), call.workspace))
    }

    /// The run that a call is for, where it is known for sure: the one that it names; the one whose invoke the call's
    /// request id names, which the published runtime passes on; the only one that its agent is at.
    func run(of caller: ModelCaller, _ workspace: WorkspaceName) -> CallingRun? {
        func own(_ run: RunState?) -> CallingRun? {
            run.flatMap { run in
                run.workspace == workspace && (caller.agent ?? run.agentID) == run.agentID ? CallingRun(run) : nil
            }
        }
        if let text = caller.runID { return own(RunID(text).flatMap(commands.activeRun)) }
        guard let agent = caller.agent else { return nil }
        // An invoke of the run, which may be over.
        if let named = caller.namedRun, let run = own(commands.activeRun(named)), run.isServerDriven { return run }
        let runs = commands.runsInTurn(of: agent, workspace, max: 2)
        return runs.count == 1 ? CallingRun(runs[0]) : nil
    }
}

extension CommandError {
    /// Whether the same command may succeed in a moment.
    fileprivate var mayPass: Bool {
        switch self {
        case .overloaded, .readOnly: true
        case .rejected, .idempotencyMismatch, .stopped: false
        }
    }
}

extension String {
    /// The text as an event can hold it: of bounded length, without control characters.
    fileprivate var recordable: String {
        let isPlain = utf8.count <= 1_024 && !utf8.contains { $0 < 0x20 || $0 == 0x7f }
        return isPlain ? self : String(excerpt.filter { $0.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } })
    }
}
