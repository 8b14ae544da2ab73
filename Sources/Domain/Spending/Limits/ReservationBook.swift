/// Calls in flight with what they may come to, and the counts of the current minute. Pure; everything takes time in
/// proportion to the call's own subjects, or to its agent's calls in flight.
package struct ReservationBook: Sendable {
    /// The number of subjects of one kind that are counted in a minute; beyond it that kind's counts begin again.
    package static let subjectsMax = 100_000

    /// A subject in its workspace.
    package struct Account: Hashable, Sendable {
        package let workspace: WorkspaceName
        package let subject: ModelSubject

        package init(workspace: WorkspaceName, subject: ModelSubject) {
            self.workspace = workspace
            self.subject = subject
        }
    }

    /// The use that is reserved for one call.
    package struct Reservation: Sendable {
        /// The agent whose budgets the call falls under.
        let holder: ResourceKey?
        /// The maximum that the call adds to the agent's spending, by an estimate.
        let spending: ModelSpending
        /// The subjects that limits hold for.
        let accounts: [Account]
        let amounts: CallAmounts
        let minute: Int64

        package init(
            holder: ResourceKey?, spending: ModelSpending, accounts: [Account], amounts: CallAmounts, minute: Int64
        ) {
            self.holder = holder
            self.spending = spending
            self.accounts = accounts
            self.amounts = amounts
            self.minute = minute
        }
    }

    private var reservations: [UInt64: Reservation] = [:]
    private var held: [Account: CallAmounts] = [:]
    private var spending: [ResourceKey: [UInt64: ModelSpending]] = [:]
    private var minute: Int64 = 0
    private var minutes: [ModelSubject.Kind: [Account: CallAmounts]] = [:]
    private var nextID: UInt64 = 0

    package init() {}

    /// The counts of the minute that contains a moment: requests that began in it, tokens and cost that were recorded in it.
    package mutating func counted(for account: Account, in minute: Int64) -> CallAmounts {
        begin(minute)
        return minutes[account.subject.kind]?[account] ?? CallAmounts()
    }

    /// The sum of the reservations of the account's calls in flight.
    package func held(by account: Account) -> CallAmounts { held[account] ?? CallAmounts() }

    /// The reserved costs of the agent's calls in flight.
    package func spending(of holder: ResourceKey) -> [ModelSpending] { spending[holder].map { Array($0.values) } ?? [] }

    /// Keeps what the call may use, until `settle` or `release` gets its number.
    package mutating func reserve(_ reservation: Reservation) -> UInt64 {
        nextID += 1
        reservations[nextID] = reservation
        if let holder = reservation.holder { spending[holder, default: [:]][nextID] = reservation.spending }
        begin(reservation.minute)
        for account in reservation.accounts {
            held[account] = held(by: account) + reservation.amounts
            count(CallAmounts(requests: 1), for: account)
        }
        return nextID
    }

    /// Replaces what a call might have used by what was recorded.
    package mutating func settle(_ id: UInt64, _ used: CallAmounts, in minute: Int64) {
        guard let reservation = remove(id) else { return }
        begin(minute)
        for account in reservation.accounts {
            count(CallAmounts(tokens: used.tokens, cost: used.cost), for: account)
        }
    }

    /// Takes a call back that was not sent.
    package mutating func release(_ id: UInt64) {
        guard let reservation = remove(id), reservation.minute == minute else { return }
        for account in reservation.accounts {
            guard let counted = minutes[account.subject.kind]?[account] else { continue }
            minutes[account.subject.kind]?[account] = counted - CallAmounts(requests: 1)
        }
    }

    private mutating func remove(_ id: UInt64) -> Reservation? {
        guard let reservation = reservations.removeValue(forKey: id) else { return nil }
        if let holder = reservation.holder {
            spending[holder]?[id] = nil
            if spending[holder]?.isEmpty == true { spending[holder] = nil }
        }
        for account in reservation.accounts {
            let rest = held(by: account) - reservation.amounts
            held[account] = rest == CallAmounts() ? nil : rest
        }
        return reservation
    }

    private mutating func count(_ amounts: CallAmounts, for account: Account) {
        let kind = account.subject.kind
        if minutes[kind]?[account] == nil, minutes[kind]?.count ?? 0 >= Self.subjectsMax { minutes[kind] = nil }
        minutes[kind, default: [:]][account] = (minutes[kind]?[account] ?? CallAmounts()) + amounts
    }

    private mutating func begin(_ minute: Int64) {
        guard minute != self.minute else { return }
        self.minute = minute
        minutes.removeAll()
    }
}
