/// A limit of calls of models. It holds for each key, user or model of that name or pattern by itself.
package struct ModelLimit: Hashable, Sendable {
    /// A countable amount, by the API's name.
    package enum Measure: String, Hashable, Sendable, CaseIterable {
        case requests, tokens
        case cost = "cost_usd"
    }

    package struct Allowance: Hashable, Sendable {
        package let measure: Measure
        package let window: LimitWindow
        /// Requests, tokens, or millionths of a dollar.
        package let amount: UInt64
    }

    package static let amountMax: UInt64 = 1_000_000_000_000
    package static let patternBytesMax = 256

    package let name: String
    package let kind: ModelSubject.Kind
    package let pattern: WildcardPattern
    package let allowances: [Allowance]

    /// Reads the `spec` of a limit.
    ///
    /// - Throws: the member that is not as it should be.
    package init(name: String, spec: JSONValue) throws(InvalidModelLimit) {
        self.name = name
        guard case .object(let members) = spec else { throw InvalidModelLimit(" must be an object") }
        let known = ["subject"] + Measure.allCases.map(\.rawValue)
        try Self.check(members, known: known, "")
        (kind, pattern) = try Self.subject(spec["subject"])
        var allowances: [Allowance] = []
        for measure in Measure.allCases {
            guard let value = spec[measure.rawValue], value != .null else { continue }
            guard case .object(let windows) = value else {
                throw InvalidModelLimit(".\(measure.rawValue) must be an object with minute, day or month")
            }
            try Self.check(windows, known: LimitWindow.allCases.map(\.rawValue), ".\(measure.rawValue)")
            for window in LimitWindow.allCases {
                guard let amount = value[window.rawValue], amount != .null else { continue }
                allowances.append(
                    Allowance(measure: measure, window: window, amount: try Self.amount(amount, measure, window)))
            }
        }
        guard !allowances.isEmpty else {
            throw InvalidModelLimit(
                " must have requests, tokens or cost_usd, each with an amount for a minute, day or month")
        }
        self.allowances = allowances
    }

    private static func check(
        _ members: [JSONValue.Member], known: [String], _ field: String
    ) throws(InvalidModelLimit) {
        for member in members where !known.contains(member.name) {
            throw InvalidModelLimit(
                "\(field) must not have \(member.name.excerpt); known are \(known.joined(separator: ", "))")
        }
    }

    private static func subject(_ value: JSONValue?) throws(InvalidModelLimit) -> (ModelSubject.Kind, WildcardPattern) {
        let kinds = ModelSubject.Kind.allCases
        guard case .object(let members)? = value, members.count == 1, let member = members.first,
            let kind = ModelSubject.Kind(rawValue: member.name)
        else {
            throw InvalidModelLimit(
                ".subject must be an object with one of \(kinds.map(\.rawValue).joined(separator: ", "))")
        }
        guard case .string(let text) = member.value, !text.isEmpty, text.utf8.count <= patternBytesMax else {
            throw InvalidModelLimit(
                ".subject.\(kind.rawValue) must be a name or a pattern with *, of at most \(patternBytesMax) bytes")
        }
        return (kind, WildcardPattern(text))
    }

    private static func amount(
        _ value: JSONValue, _ measure: Measure, _ window: LimitWindow
    ) throws(InvalidModelLimit) -> UInt64 {
        let field = ".\(measure.rawValue).\(window.rawValue)"
        guard case .number(let text) = value else { throw InvalidModelLimit("\(field) must be a number") }
        switch measure {
        case .requests, .tokens:
            guard let amount = UInt64(text), amount <= amountMax else {
                throw InvalidModelLimit("\(field) must be a whole number from 0 to \(amountMax)")
            }
            return amount
        case .cost:
            guard let amount = MicroUSD(dollars: text, max: AgentModels.budgetMax) else {
                throw InvalidModelLimit("\(field) must be a number of dollars from 0 to \(AgentModels.budgetMax)")
            }
            return amount.value
        }
    }

    /// True when the limit holds for a subject.
    package func covers(_ subject: ModelSubject) -> Bool { subject.kind == kind && pattern.matches(subject.name) }

    /// The first of its amounts that leaves no room for another call, given what was used in each window.
    ///
    /// - Parameters:
    ///   - used: what is counted for the subject.
    ///   - held: what the subject's calls in flight may come to in each window.
    package func reached(
        used: (LimitWindow) -> CallAmounts, held: (LimitWindow) -> CallAmounts
    ) -> (allowance: Allowance, standing: Standing)? {
        for allowance in allowances {
            let counted = allowance.measure.amount(of: used(allowance.window))
            let reserved = allowance.measure.amount(of: held(allowance.window))
            let (sum, overflow) = counted.addingReportingOverflow(reserved)
            if counted >= allowance.amount { return (allowance, .reached(used: counted)) }
            guard overflow || sum >= allowance.amount else { continue }
            // A request in flight is one already; its tokens and its cost are estimates.
            let isKnown = allowance.measure == .requests
            return (allowance, isKnown ? .reached(used: sum) : .reserved(used: counted))
        }
        return nil
    }

    /// The reason why an amount leaves no room.
    package enum Standing: Hashable, Sendable {
        case reached(used: UInt64)
        /// Calls in flight may use up the rest.
        case reserved(used: UInt64)
    }
}

extension ModelLimit.Measure {
    fileprivate func amount(of amounts: CallAmounts) -> UInt64 {
        switch self {
        case .requests: amounts.requests
        case .tokens: amounts.tokens
        case .cost: amounts.cost.value
        }
    }
}

/// The fault of a limit's document; its message begins with what follows `spec`.
package struct InvalidModelLimit: Error, Hashable, Sendable {
    package let message: String

    init(_ message: String) { self.message = message }
}
