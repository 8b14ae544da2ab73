/// A command that the rules refuse: nothing was written.
package struct Rejection: Error, Hashable, Sendable {
    package let code: RejectionErrorCode
    /// For the client: what is wrong and what to do.
    package let message: String
    /// The blocked action that a refused call waits for.
    package let actionID: ActionID?

    package init(_ code: RejectionErrorCode, _ message: String, actionID: ActionID? = nil) {
        self.code = code
        self.message = message
        self.actionID = actionID
    }

    static func runNotActive(_ id: RunID) -> Rejection { Rejection(.runNotActive, "run \(id) not found") }
    static func actionNotActive(_ id: ActionID) -> Rejection { Rejection(.actionNotActive, "action \(id) not found") }
    static func accessRequestNotActive() -> Rejection { Rejection(.accessRequestNotActive, "request not found") }
    static func shareExceeded(_ holder: String, _ what: String, _ held: Int) -> Rejection {
        Rejection(
            .shareExceeded,
            "\(holder) has \(held) \(what), and the rest is kept for others: finish or cancel some, then try again")
    }
    static func limitReached(_ what: String, _ limit: Int) -> Rejection {
        Rejection(.limitReached, "the limit of \(limit) \(what) is reached: finish or delete some, or raise the limit")
    }
}

/// Stable codes of refused commands; each has a line in `docs/errors.md`.
package enum RejectionErrorCode: String, Hashable, Sendable, CaseIterable {
    case invalidArgument = "invalid_argument"
    case invalidTransition = "invalid_transition"
    case runNotRunning = "run_not_running"
    /// The run does not exist, is another workspace's, or is finished: the read side knows which.
    case runNotActive = "run_not_active"
    case actionNotActive = "action_not_active"
    case actionNotBlocked = "action_not_blocked"
    case actionNotApproved = "action_not_approved"
    case payloadHashMismatch = "payload_hash_mismatch"
    case accessRequestNotActive = "access_request_not_active"
    case accessRequestNotPending = "access_request_not_pending"
    case resourceNotFound = "resource_not_found"
    case revisionChanged = "revision_changed"
    /// Another alias may match the same names of models, and neither of them is the better one.
    case modelAliasAmbiguous = "model_alias_ambiguous"
    case apiKeyNotFound = "api_key_not_found"
    /// The command's key was revoked after its request was admitted.
    case apiKeyRevoked = "api_key_revoked"
    case secretNotFound = "secret_not_found"
    case apiKeyExists = "api_key_exists"
    /// Without this key nobody could make keys any more.
    case lastAdminKey = "last_admin_key"
    /// The key is of the daemon's configuration.
    case apiKeyConfigured = "api_key_configured"
    case invokeNotExpected = "invoke_not_expected"
    case agentMismatch = "agent_mismatch"
    /// The agent acts on a run that it is not called for at the moment.
    case notInTurn = "not_in_turn"
    /// An operator has stopped it.
    case agentStopped = "agent_stopped"
    case toolStopped = "tool_stopped"
    case workspaceStopped = "workspace_stopped"
    /// The request belongs to an attempt of the run that is over.
    case attemptSuperseded = "attempt_superseded"
    /// The call waits for the decision of an action that is blocked already.
    case approvalPending = "approval_pending"
    /// An agent named another user than the run's.
    case foreignSubject = "foreign_subject"
    /// The call waits for an approval that was not asked for yet.
    case approvalRequired = "approval_required"
    /// The same call was begun, and nothing is known of its outcome yet.
    case callOnItsWay = "call_on_its_way"
    /// The run has added as much to the log as one run may.
    case runFull = "run_full"
    /// No further model call of the run can be recorded.
    case journalFull = "journal_full"
    case selfApproval = "self_approval"
    /// The action waits for its run's user.
    case consentIsTheUsers = "consent_is_the_users"
    case notAnApprover = "not_an_approver"
    /// The policy wants the approval signed.
    case signatureRequired = "signature_required"
    /// The message was sent, is being sent, or its subject is decided.
    case deliveryNotExpected = "delivery_not_expected"
    case decisionLinkUnknown = "decision_link_unknown"
    case decisionLinkUsed = "decision_link_used"
    /// Somebody else has decided, or the wait is over.
    case decisionLinkClosed = "decision_link_closed"
    case decisionLinkExpired = "decision_link_expired"
    /// The build does not exist, is another workspace's, or has ended: the read side knows which.
    case buildNotOpen = "build_not_open"
    /// What is unfinished needs the person's data, or it is being erased.
    case personActive = "person_active"
    case limitReached = "limit_reached"
    /// The rest of a limit is kept for other workspaces and principals.
    case shareExceeded = "share_exceeded"
}
