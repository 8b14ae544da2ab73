package import Domain
import GRDB

/// What a list can be sorted by, in the API's words.
package protocol ListField: RawRepresentable, CaseIterable, Hashable, Sendable where RawValue == String {
    /// The table of lists that are read in pages.
    static var table: String { get }
    /// A column of text or of times; `nil` for the order in which the rows began, which is that of their positions.
    var column: String? { get }
    /// True when the column holds times, which change: a place is then named with its time.
    var isTime: Bool { get }
}

extension ListField {
    package var isTime: Bool { false }
}

/// By what a list is sorted, and which way. Rows with the same there are in the order of their positions.
package struct ListOrder<Field: ListField>: Hashable, Sendable {
    package let field: Field
    package let isDescending: Bool

    package init(_ field: Field, isDescending: Bool) {
        self.field = field
        self.isDescending = isDescending
    }

    private var direction: String { isDescending ? "DESC" : "ASC" }
    private var comparison: String { isDescending ? "<" : ">" }

    var sql: String {
        let columns = [field.column, "position"].compactMap { $0 }
        return "ORDER BY " + columns.map { "\($0) \(direction)" }.joined(separator: ", ")
    }

    /// Holds for what follows that place, or for all without one; the index on column and position finds it.
    func condition(after place: ListPlace?) -> (sql: String, arguments: StatementArguments) {
        guard let place else { return ("TRUE", []) }
        let position = Int64(clamping: place.position.value)
        guard let column = field.column else { return ("position \(comparison) ?", [position]) }
        let value: (any DatabaseValueConvertible)? = field.isTime ? place.value.flatMap(Int64.init) : place.value
        return ("(\(column), position) \(comparison) (?, ?)", [value, position])
    }
}

/// A place in a sorted list: that of the row of a position.
package struct ListPlace: Hashable, Sendable {
    package let position: Position
    /// What the row has in the column that the list is sorted by.
    package let value: String?

    package init(_ position: Position, value: String?) {
        self.position = position
        self.value = value
    }

    /// A place in the order of times, as a cursor names it: the position, and the time in microseconds.
    package init?(cursor: some StringProtocol) {
        let parts = cursor.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let position = UInt64(parts[0]), position <= UInt64.max >> 1, Int64(parts[1]) != nil
        else { return nil }
        self.init(Position(position), value: String(parts[1]))
    }

    /// The same place after the rows may have changed.
    package func cursor<Field>(by order: ListOrder<Field>) -> String {
        guard order.field.isTime, let value else { return position.description }
        return "\(position)-\(value)"
    }
}

extension Projections {
    /// Where the row of that position is in a list; `nil` when there is no such row any more.
    package func place<Field>(
        of position: Position, by order: ListOrder<Field>, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> ListPlace? {
        guard let column = order.field.column else { return ListPlace(position, value: nil) }
        let sql = "SELECT CAST(\(column) AS TEXT) AS value FROM \(Field.table) WHERE workspace = ? AND position = ?"
        return try await query { db in
            try Row.fetchOne(db, sql: sql, arguments: [workspace.text, Int64(clamping: position.value)])
                .map { ListPlace(position, value: try $0.column("value")) }
        }
    }
}
