/// Something somebody wants to happen. The new ids are in it, so that deciding stays pure.
package enum Command: Hashable, Sendable {
    case storeResources(StoreResources)
    case deleteResource(kind: ResourceKind, name: String)
    case recordResourceStatus(ResourceStatusRecorded)

    case createRun(CreateRun)
    case addRunEvents(run: RunID, [RunEventAdded])
    case changeRunStatus(run: RunID, RunStatus)
    case failRun(run: RunID, reason: String)

    case blockAction(run: RunID, BlockAction)
    case approveAction(
        run: RunID, action: ActionID, payloadHash: PayloadHash?, reason: String?, signature: DecisionSignature? = nil)
    case rejectAction(run: RunID, action: ActionID, reason: String?, signature: DecisionSignature? = nil)
    case expireAction(run: RunID, action: ActionID)
    case markActionExecuted(run: RunID, action: ActionID)
    case markActionFailed(run: RunID, action: ActionID, reason: String)

    case requestAccess(RequestAccess)
    case approveAccess(ApproveAccess)
    case rejectAccess(request: AccessRequestID, reason: String?, signature: DecisionSignature? = nil)
    case expireAccess(request: AccessRequestID)

    case saveCheckpoint(run: RunID, CheckpointSaved)
    case recordToolResult(run: RunID, ToolResultRecorded)

    case beginToolCall(run: RunID, BeginToolCall)
    case recordToolCall(run: RunID, ToolCalled)
    case recordInterruptedCall(run: RunID, ToolCallID)
    case recordRefusedCall(run: RunID, ToolCallRefused)
    case requireConsent(run: RunID, RequireConsent)
    case giveConsent(run: RunID, GiveConsent)

    case requestInvoke(run: RunID, InvokeRequested)
    case completeInvoke(run: RunID, InvokeCompleted)
    case failInvoke(run: RunID, InvokeFailed)

    case createAPIKey(id: APIKeyID, APIKeyCreated)
    case revokeAPIKey(id: APIKeyID)
    case rotateAPIKey(id: APIKeyID, RotateAPIKey)

    /// With the user id of whoever the answer is about, when it is about one.
    case recordAnswer(AnswerRecorded, person: String?)

    /// What is known of its run; the rules say whether that is where it belongs.
    case recordModelCall(run: RunID?, ModelCalled, ModelAnswer? = nil)
    case takeModelCall(run: RunID, TakeModelCall)

    case startDelivery(DeliveryStarted)
    case endDelivery(DeliveryEnded)
    case decideByLink(DecideByLink)
    case recordAnalysis(id: AnalysisID, document: JSONText)
    case requestBuild(id: BuildID, BuildRequested)
    case startBuild(BuildID)
    case finishBuild(BuildID, BuildFinished)

    case expireRun(RunExpired)

    case storeSecrets(StoreSecrets)
    case deleteSecret(DeleteSecret)

    case erasePerson(PersonID, PersonErasureRequested)
    case recordErasure(PersonID, PersonErased)
    case acceptKeyLoss(KeyLossAccepted)

    case stop(StopControl)
    case start(ControlStarted)
}

/// Stores several resources at once or none: a deploy with the tools it brings.
package struct StoreResources: Hashable, Sendable {
    package struct Item: Hashable, Sendable {
        package let kind: ResourceKind
        package let name: String
        /// The id to use when there is no resource of that name yet.
        package let newID: ResourceID
        package let document: JSONText
        /// Secrets to store with it, in the same command.
        package let secrets: [StoreSecret]
        /// Which of its other secrets stay; `nil` keeps them all.
        package let keptSecrets: Set<String>?
        /// Refuse with `revision_changed` unless this is the resource's newest one.
        package let expectedRevision: UInt64?
        /// The earlier revision whose content this brings back.
        package var restoredRevision: UInt64?

        package init(
            kind: ResourceKind, name: String, newID: ResourceID, document: JSONText, secrets: [StoreSecret] = [],
            keptSecrets: Set<String>? = nil, expectedRevision: UInt64? = nil
        ) {
            self.kind = kind
            self.name = name
            self.newID = newID
            self.document = document
            self.secrets = secrets
            self.keptSecrets = keptSecrets
            self.expectedRevision = expectedRevision
        }
    }

    package let items: [Item]
    /// Refuse with `not_found` unless every one exists already (an update).
    package let mustExist: Bool
    /// Leave an existing resource as it is (a seed).
    package let keepsExisting: Bool

    package init(items: [Item], mustExist: Bool = false, keepsExisting: Bool = false) {
        self.items = items
        self.mustExist = mustExist
        self.keepsExisting = keepsExisting
    }
}

/// Gives a key another text.
package struct RotateAPIKey: Hashable, Sendable {
    /// SHA-256 of the new text, lower-case hex.
    package let digest: String
    package let prefix: String
    package let last4: String
    /// `nil` leaves the end that the key has.
    package let lifetime: Duration?
    /// How long the text before is good too.
    package let grace: Duration

    package init(digest: String, prefix: String, last4: String, lifetime: Duration?, grace: Duration) {
        self.digest = digest
        self.prefix = prefix
        self.last4 = last4
        self.lifetime = lifetime
        self.grace = grace
    }
}

package struct CreateRun: Hashable, Sendable {
    package let runID: RunID
    package let agentID: String
    package let userID: String
    package let conversationID: String?
    package let invokeURL: String?
    package let initialMessage: String?
    /// What else the client has for the agent, an object.
    package let input: JSONText?
    /// The user as a token proves them; `nil` for a user that the client names.
    package let user: Person?

    package init(
        runID: RunID, agentID: String, userID: String, conversationID: String?, invokeURL: String?,
        initialMessage: String?, input: JSONText? = nil, user: Person? = nil
    ) {
        self.runID = runID
        self.agentID = agentID
        self.userID = userID
        self.conversationID = conversationID
        self.invokeURL = invokeURL
        self.initialMessage = initialMessage
        self.input = input
        self.user = user
    }
}

package struct BlockAction: Hashable, Sendable {
    package let actionID: ActionID
    package let toolID: String
    package let capability: String?
    package let payloadHash: PayloadHash?
    package let method: String?
    package let url: String?
    /// Set when the gate blocks a call.
    package let gate: BlockedCall?

    package init(
        actionID: ActionID, toolID: String, capability: String?, payloadHash: PayloadHash?, method: String? = nil,
        url: String? = nil, gate: BlockedCall? = nil
    ) {
        self.actionID = actionID
        self.toolID = toolID
        self.capability = capability
        self.payloadHash = payloadHash
        self.method = method
        self.url = url
        self.gate = gate
    }
}

package struct RequestAccess: Hashable, Sendable {
    package let requestID: AccessRequestID
    package let subject: String
    package let toolID: String
    package let agentID: String?
    /// `nil` asks for the default of four hours.
    package let duration: Duration?
    package let runID: RunID?
    /// The id of the action to block, used when there is a run.
    package let actionID: ActionID
    package let capability: String?
    package let payloadHash: PayloadHash?
    package let method: String?
    package let url: String?
    /// The tool of that name; `nil` when there is none.
    package let tool: ToolIdentity?

    package init(
        requestID: AccessRequestID, subject: String, toolID: String, agentID: String?, duration: Duration?,
        runID: RunID?, actionID: ActionID, capability: String?, payloadHash: PayloadHash?, method: String?,
        url: String?, tool: ToolIdentity? = nil
    ) {
        self.requestID = requestID
        self.subject = subject
        self.toolID = toolID
        self.agentID = agentID
        self.duration = duration
        self.runID = runID
        self.actionID = actionID
        self.capability = capability
        self.payloadHash = payloadHash
        self.method = method
        self.url = url
        self.tool = tool
    }
}

package struct ApproveAccess: Hashable, Sendable {
    package let requestID: AccessRequestID
    /// `nil` means once.
    package let scope: AccessScope?
    /// `nil` means the duration that was asked for.
    package let duration: Duration?
    package let reason: String?
    /// The hash the approver saw; checked against the request's when given.
    package let payloadHash: PayloadHash?
    package let signature: DecisionSignature?

    package init(
        requestID: AccessRequestID, scope: AccessScope?, duration: Duration?, reason: String?,
        payloadHash: PayloadHash?, signature: DecisionSignature? = nil
    ) {
        self.requestID = requestID
        self.scope = scope
        self.duration = duration
        self.reason = reason
        self.payloadHash = payloadHash
        self.signature = signature
    }
}
