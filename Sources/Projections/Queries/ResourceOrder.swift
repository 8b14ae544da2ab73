import Domain

/// What lists of resources, which are read whole, can be sorted by.
package enum ResourceField: String, CaseIterable, Hashable, Sendable {
    case name
    case createdAt = "created_at"
    case updatedAt = "updated_at"
}

/// By what a list of resources is sorted, and which way. Those with the same there are sorted by their names.
package struct ResourceOrder: Hashable, Sendable {
    package let field: ResourceField
    package let isDescending: Bool

    package init(_ field: ResourceField, isDescending: Bool) {
        self.field = field
        self.isDescending = isDescending
    }

    /// - Parameter kind: connectors are stored under their ids, and shown with the names that people gave them.
    func sql(_ kind: ResourceKind) -> String {
        let direction = isDescending ? "DESC" : "ASC"
        let isNamedInside = kind == .approvalConnector && field == .name
        let column = isNamedInside ? "json_extract(document, '$.name')" : field.rawValue
        return "ORDER BY \(column) \(direction)" + (column == "name" ? "" : ", name \(direction)")
    }
}
