/// The time for which an amount is counted: one of the calendar in UTC.
package enum LimitWindow: String, Hashable, Sendable, CaseIterable {
    case minute, day, month

    private static let minuteLength: Int64 = 60_000_000

    /// The end of the window that contains a moment.
    package func end(containing time: Timestamp) -> Timestamp {
        switch self {
        case .minute: Timestamp(microseconds: (Self.minute(containing: time) + 1) * Self.minuteLength)
        case .day: CalendarDay(daysSinceEpoch: CalendarDay(containing: time).daysSinceEpoch + 1).start
        case .month: CalendarMonth(containing: time).next.firstDay.start
        }
    }

    /// Minutes since 1970.
    package static func minute(containing time: Timestamp) -> Int64 {
        let (minutes, rest) = time.microseconds.quotientAndRemainder(dividingBy: minuteLength)
        return rest < 0 ? minutes - 1 : minutes
    }
}

/// Calls, and the tokens and the cost of them.
package struct CallAmounts: Hashable, Sendable {
    package var requests: UInt64
    package var tokens: UInt64
    package var cost: MicroUSD

    package init(requests: UInt64 = 0, tokens: UInt64 = 0, cost: MicroUSD = .zero) {
        self.requests = requests
        self.tokens = tokens
        self.cost = cost
    }

    /// The sum, at the most what a number can hold.
    package static func + (left: Self, right: Self) -> Self {
        func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
            let (sum, overflow) = left.addingReportingOverflow(right)
            return overflow ? .max : sum
        }
        return Self(
            requests: sum(left.requests, right.requests), tokens: sum(left.tokens, right.tokens),
            cost: left.cost + right.cost)
    }

    /// The difference; zero where `right` is larger.
    package static func - (left: Self, right: Self) -> Self {
        func rest(_ left: UInt64, _ right: UInt64) -> UInt64 { left > right ? left - right : 0 }
        return Self(
            requests: rest(left.requests, right.requests), tokens: rest(left.tokens, right.tokens),
            cost: left.cost - right.cost)
    }
}
