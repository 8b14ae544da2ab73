import Domain

package enum RunField: String, ListField {
    case createdAt = "created_at"
    case agentID = "agent_id"
    case userID = "user_id"
    case status
    case updatedAt = "updated_at"

    package static let table = "runs"
    package var column: String? { self == .createdAt ? nil : rawValue }
    package var isTime: Bool { self == .updatedAt }
}

package enum AccessRequestField: String, ListField {
    case createdAt = "created_at"
    case subject
    case toolID = "tool_id"

    package static let table = "access_requests"
    package var column: String? { self == .createdAt ? nil : rawValue }
}

extension RunRecord {
    package func place(by field: RunField) -> ListPlace {
        let value: String? =
            switch field {
            case .createdAt: nil
            case .agentID: agentID
            case .userID: userID
            case .status: status.rawValue
            case .updatedAt: String(updatedAt.microseconds)
            }
        return ListPlace(position, value: value)
    }
}

extension AccessRequestRecord {
    package func place(by field: AccessRequestField) -> ListPlace {
        let value: String? =
            switch field {
            case .createdAt: nil
            case .subject: subject
            case .toolID: toolID
            }
        return ListPlace(position, value: value)
    }
}

extension BuildRecord {
    package func place(by field: BuildField) -> ListPlace {
        let value: String? =
            switch field {
            case .createdAt: nil
            case .name: name
            case .status: status.rawValue
            }
        return ListPlace(position, value: value)
    }
}

package enum BuildField: String, ListField {
    case createdAt = "created_at"
    case name
    case status

    package static let table = "builds"
    package var column: String? { self == .createdAt ? nil : rawValue }
}

package enum APIKeyField: String, ListField {
    case createdAt = "created_at"
    case name
    case role

    package static let table = "api_keys"
    package var column: String? { self == .createdAt ? nil : rawValue }
}
