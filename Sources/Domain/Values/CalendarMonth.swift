/// A day of the calendar in UTC.
package struct CalendarDay: Hashable, Sendable, Comparable, CustomStringConvertible {
    private static let length: Int64 = 86_400_000_000

    package let daysSinceEpoch: Int64

    package init(daysSinceEpoch: Int64) { self.daysSinceEpoch = daysSinceEpoch }

    package init(containing time: Timestamp) {
        let (days, rest) = time.microseconds.quotientAndRemainder(dividingBy: Self.length)
        daysSinceEpoch = rest < 0 ? days - 1 : days
    }

    /// Reads `2026-11-30`; `nil` for anything else, and for days that no calendar has.
    package init?(_ text: String) {
        guard let time = Timestamp(rfc3339: text + "T00:00:00Z") else { return nil }
        self.init(containing: time)
        guard description == text else { return nil }
    }

    /// Maximum days between the first and the last day for which usage of models is asked.
    package static let usageDaysBackMax: Int64 = 399

    /// Reads the beginning of a period: days or weeks before today, such as `7d` and `2w`, or a day. `nil` for anything
    /// else.
    package init?(since text: String, before today: CalendarDay) {
        if let day = CalendarDay(text) {
            self = day
            return
        }
        guard let unit = text.last, let days = ["d": 1, "w": 7][unit] as Int64?,
            text.dropLast().allSatisfy({ $0.isASCII && $0.isNumber }), let count = Int64(text.dropLast()),
            (1...10_000).contains(count)
        else { return nil }
        self.init(daysSinceEpoch: today.daysSinceEpoch - count * days)
    }

    package var start: Timestamp { Timestamp(microseconds: daysSinceEpoch * Self.length) }
    package var description: String { String(start.description.prefix(10)) }

    package static func < (left: Self, right: Self) -> Bool { left.daysSinceEpoch < right.daysSinceEpoch }
}

/// A month of the calendar in UTC.
package struct CalendarMonth: Hashable, Sendable {
    /// Months since the beginning of the year 0.
    package let number: Int64

    package init(number: Int64) { self.number = number }

    package init(containing time: Timestamp) {
        let date = CivilDate(daysSinceEpoch: CalendarDay(containing: time).daysSinceEpoch)
        number = date.year * 12 + date.month - 1
    }

    package var firstDay: CalendarDay {
        CalendarDay(daysSinceEpoch: CivilDate(year: number / 12, month: number % 12 + 1, day: 1).daysSinceEpoch)
    }

    package var next: CalendarMonth { CalendarMonth(number: number + 1) }
}
