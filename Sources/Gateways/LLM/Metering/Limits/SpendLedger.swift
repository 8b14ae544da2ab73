import Domain
import Projections
import Synchronization

/// Decides whether limits and budgets leave room for a call, and reserves what it may use, in one step: calls at the same
/// time cannot use the same room twice.
final class SpendLedger: Sendable {
    /// The reason why a call has to wait, or cannot be made.
    enum Refusal: Sendable {
        case limit(ModelLimit, ModelSubject, ModelLimit.Allowance, ModelLimit.Standing)
        case budget(BudgetStanding)
        /// Calls of the agent that are in flight may use up the rest of that budget.
        case budgetReserved(BudgetStanding)
    }

    /// A call with everything that decides on it.
    struct Request: Sendable {
        let call: ModelCall
        /// The limits that hold for it, with their subjects.
        let limits: [(limit: ModelLimit, subject: ModelSubject)]
        /// The models and budgets of its agent; `nil` when it has no budget.
        let models: AgentModels?
        let amounts: CallAmounts
        let now: Timestamp
    }

    private let book = Mutex(ReservationBook())
    private let projections: Projections

    init(_ projections: Projections) { self.projections = projections }

    /// Reserves room for a call, unless there is none.
    ///
    /// The book is locked while recorded calls are read: a call that is recorded meanwhile is counted as one in flight, or
    /// as a recorded one, and never as neither.
    func reserve(_ request: Request) throws(ProjectionError) -> Result<CallReservation, SpendRefusal> {
        let decision = try book.withLock { book throws(ProjectionError) -> Result<UInt64, SpendRefusal> in
            if let refusal = try refusal(of: request, &book) { return .failure(SpendRefusal(refusal)) }
            return .success(book.reserve(Self.reservation(of: request)))
        }
        return decision.map { CallReservation(self, id: $0) }
    }

    /// Counts a call by what was recorded of it.
    func settle(_ id: UInt64, _ used: CallAmounts, at now: Timestamp) {
        book.withLock { $0.settle(id, used, in: LimitWindow.minute(containing: now)) }
    }

    /// Gives back what a call that was not sent has reserved.
    func release(_ id: UInt64) { book.withLock { $0.release(id) } }

    private func refusal(of request: Request, _ book: inout ReservationBook) throws(ProjectionError) -> Refusal? {
        if let refusal = try budgetRefusal(of: request, book) { return refusal }
        let (call, day) = (request.call, CalendarDay(containing: request.now))
        for (limit, subject) in request.limits {
            let account = ReservationBook.Account(workspace: call.workspace, subject: subject)
            let minute = book.counted(for: account, in: LimitWindow.minute(containing: request.now))
            let held = book.held(by: account)
            // Of days and months the log knows: they outlive a restart. Requests of the minute count when they begin.
            let hasLonger = limit.allowances.contains { $0.window != .minute }
            let recorded = hasLonger ? try projections.modelUsage(of: subject, on: day, call.workspace) : nil
            if let (allowance, standing) = limit.reached(
                used: { window in
                    switch window {
                    case .minute: minute
                    case .day: recorded?.day ?? CallAmounts()
                    case .month: recorded?.month ?? CallAmounts()
                    }
                },
                held: { window in
                    // The minute has counted the requests when they began.
                    window == .minute ? CallAmounts(tokens: held.tokens, cost: held.cost) : held
                })
            {
                return .limit(limit, subject, allowance, standing)
            }
        }
        return nil
    }

    private func budgetRefusal(
        of request: Request, _ book: ReservationBook
    ) throws(ProjectionError) -> Refusal? {
        guard let models = request.models, let holder = Self.holder(of: request) else { return nil }
        let call = request.call
        let month = CalendarMonth(containing: request.now)
        let recorded = try projections.modelSpending(of: holder.name, in: month, holder.workspace)
        func reached(_ spending: [ModelSpending]) -> BudgetStanding? {
            models.budgets(
                provider: call.provider, kind: call.providerKind, model: call.model, spending: spending
            ).first { $0.status == .reached }
        }
        if let spent = reached(recorded) { return .budget(spent) }
        return reached(recorded + book.spending(of: holder)).map(Refusal.budgetReserved)
    }

    private static func holder(of request: Request) -> ResourceKey? {
        guard request.models != nil, let agent = request.call.agent else { return nil }
        return ResourceKey(workspace: request.call.workspace, kind: .agent, name: agent)
    }

    private static func reservation(of request: Request) -> ReservationBook.Reservation {
        let call = request.call
        return ReservationBook.Reservation(
            holder: holder(of: request),
            spending: ModelSpending(
                provider: call.provider, providerKind: call.providerKind, model: call.model,
                cost: request.amounts.cost),
            accounts: Array(
                Set(
                    request.limits.map {
                        ReservationBook.Account(workspace: call.workspace, subject: $0.subject)
                    })),
            amounts: request.amounts, minute: LimitWindow.minute(containing: request.now))
    }
}

/// A call that has to wait, or cannot be made.
struct SpendRefusal: Error {
    let reason: SpendLedger.Refusal

    init(_ reason: SpendLedger.Refusal) { self.reason = reason }
}
