import GRDB

/// Conditions of a statement with the values of their question marks.
struct SQLConditions {
    private(set) var sql: [String] = []
    private(set) var arguments: StatementArguments = []

    var isEmpty: Bool { sql.isEmpty }
    /// All of them; true without any.
    var joined: String { sql.isEmpty ? "1" : sql.joined(separator: " AND ") }

    mutating func add(_ condition: String, _ values: [(any DatabaseValueConvertible)?]) {
        add(condition, StatementArguments(values))
    }

    mutating func add(_ condition: String, _ arguments: StatementArguments) {
        sql.append(condition)
        self.arguments += arguments
    }

    /// Adds a condition on a value, where there is one.
    mutating func add(_ condition: String, ifPresent value: (any DatabaseValueConvertible)?) {
        guard let value else { return }
        add(condition, [value])
    }
}
