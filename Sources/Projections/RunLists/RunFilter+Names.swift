import Domain

extension RunFilter {
    /// The filters that clients can set. Lists and cancellations read this table, and so does the test of their plans.
    package enum Name: String, CaseIterable, Sendable {
        case agentID = "agent_id"
        case status
        case userID = "user_id"
        case conversationID = "conversation_id"
        case createdAfter = "created_after"
        case createdBefore = "created_before"
        case updatedAfter = "updated_after"
        case updatedBefore = "updated_before"
        case tool
        case error
        case text = "q"

        /// The names under which clients send it, the first one that is given counts.
        package var keys: [String] {
            switch self {
            case .agentID: [rawValue, "agent"]
            case .userID: [rawValue, "user"]
            default: [rawValue]
            }
        }
    }

    /// The status of the published document that no run has: it stands for both kinds of pauses.
    private static let paused = "PAUSED"

    /// Sets one filter from the text that a client sent.
    package mutating func set(_ name: Name, _ value: String) throws(InvalidFilter) {
        switch name {
        case .agentID: agentID = value
        case .status: try setStatus(value)
        case .userID: userID = value
        case .conversationID: conversationID = value
        case .createdAfter: createdAfter = try Self.time(name, value)
        case .createdBefore: createdBefore = try Self.time(name, value)
        case .updatedAfter: updatedAfter = try Self.time(name, value)
        case .updatedBefore: updatedBefore = try Self.time(name, value)
        case .tool: tool = value
        case .error: error = try SearchWords(value, of: name.rawValue)
        case .text: text = try SearchWords(value, of: name.rawValue)
        }
    }

    private mutating func setStatus(_ text: String) throws(InvalidFilter) {
        isPaused = text == Self.paused
        guard !isPaused else { return }
        guard let status = RunStatus(rawValue: text) else {
            let known = (RunStatus.allCases.map(\.rawValue) + [Self.paused]).joined(separator: ", ")
            throw InvalidFilter("status must be one of \(known), not \(text.excerpt)")
        }
        self.status = status
    }

    private static func time(_ name: Name, _ text: String) throws(InvalidFilter) -> Timestamp {
        guard let time = Timestamp(rfc3339: text) else {
            throw InvalidFilter("\(name.rawValue) must be a time such as 2026-01-31T12:00:00Z")
        }
        return time
    }
}
