package import Domain
import GRDB

/// What a list can be sorted by, in the API's words.
package protocol ListField: RawRepresentable, CaseIterable, Hashable, Sendable where RawValue == String {
    /// The table of lists that are read in pages.
    static var table: String { get }
    /// A column of text; `nil` for the order in which the rows began, which is that of their positions.
    var column: String? { get }
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
        return ("(\(column), position) \(comparison) (?, ?)", [place.value, position])
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
}

extension Projections {
    /// Where the row of that position is in a list; `nil` when there is no such row any more.
    package func place<Field>(
        of position: Position, by order: ListOrder<Field>, in workspace: WorkspaceName
    ) async throws(ProjectionError) -> ListPlace? {
        guard let column = order.field.column else { return ListPlace(position, value: nil) }
        let sql = "SELECT \(column) AS value FROM \(Field.table) WHERE workspace = ? AND position = ?"
        return try await query { db in
            try Row.fetchOne(db, sql: sql, arguments: [workspace.text, Int64(clamping: position.value)])
                .map { ListPlace(position, value: try $0.column("value")) }
        }
    }
}
