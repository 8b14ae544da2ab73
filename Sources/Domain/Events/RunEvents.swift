/// A run began.
package struct RunCreated: Hashable, Sendable {
    package let agentID: String
    /// The id of the deployed agent of that name, when there was one.
    package let agentUID: ResourceID?
    package let userID: String
    package let conversationID: String?
    /// Where the server drives the agent; without it the client drives the run.
    package let invokeURL: String?
    package let initialMessage: String?
    /// What else the client had for the agent, an object.
    package let input: JSONText?
    /// When the run fails if it has not finished.
    package let deadline: Timestamp
    /// The user as a token proved them; `nil` for a user that the client named.
    package let user: Person?

    package init(
        agentID: String, agentUID: ResourceID?, userID: String, conversationID: String?, invokeURL: String?,
        initialMessage: String?, input: JSONText? = nil, deadline: Timestamp, user: Person? = nil
    ) {
        self.agentID = agentID
        self.agentUID = agentUID
        self.userID = userID
        self.conversationID = conversationID
        self.invokeURL = invokeURL
        self.initialMessage = initialMessage
        self.input = input
        self.deadline = deadline
        self.user = user
    }
}

/// A client put an entry on the run's timeline.
package struct RunEventAdded: Hashable, Sendable {
    package let type: String
    package let actor: String?
    package let payloadHash: String?
    package let data: JSONText?
    /// The agent whose key added it; `nil` for other clients, and in records of older versions.
    package let agentID: String?

    package init(type: String, actor: String?, payloadHash: String?, data: JSONText?, agentID: String? = nil) {
        self.type = type
        self.actor = actor
        self.payloadHash = payloadHash
        self.data = data
        self.agentID = agentID
    }
}

/// The run's status became another.
package struct RunStatusChanged: Hashable, Sendable {
    package let status: RunStatus
    /// Why, for a run that failed: `cancelled`, `timed out`, …
    package let reason: String?

    package init(status: RunStatus, reason: String?) {
        self.status = status
        self.reason = reason
    }
}

/// The agent saved where it stopped, to go on after the action is approved.
package struct CheckpointSaved: Hashable, Sendable {
    package let checkpointID: CheckpointID
    package let actionID: String
    package let document: JSONText
    /// Whether the agent goes on by calling its handler again from the top, so that its earlier calls come again.
    package let restartsHandler: Bool

    package init(checkpointID: CheckpointID, actionID: String, document: JSONText, restartsHandler: Bool = false) {
        self.checkpointID = checkpointID
        self.actionID = actionID
        self.document = document
        self.restartsHandler = restartsHandler
    }
}

/// The agent reported what a tool call answered.
package struct ToolResultRecorded: Hashable, Sendable {
    package let toolID: String?
    package let document: JSONText

    package init(toolID: String?, document: JSONText) {
        self.toolID = toolID
        self.document = document
    }
}
