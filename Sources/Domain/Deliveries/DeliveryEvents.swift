/// What a message to approvers is about.
package enum DeliverySubject: Hashable, Sendable {
    /// A blocked action, and the request that asks for it, when one does.
    case action(RunID, ActionID, AccessRequestID?)
    /// A request that no run waits for.
    case request(AccessRequestID)

    /// What tells it from every other subject.
    package var key: UUIDValue {
        switch self {
        case .action(_, let action, _): action.value
        case .request(let request): request.value
        }
    }

    package var runID: RunID? { if case .action(let run, _, _) = self { run } else { nil } }
    package var actionID: ActionID? { if case .action(_, let action, _) = self { action } else { nil } }

    package var requestID: AccessRequestID? {
        switch self {
        case .action(_, _, let request): request
        case .request(let request): request
        }
    }
}

/// Why something is sent.
package enum DeliveryPurpose: Hashable, Sendable, CaseIterable {
    /// To have somebody decide.
    case ask
    /// To say on the same message that there is nothing to decide any more.
    case followUp
}

/// A link that decides: whoever has it may approve or reject once, what they saw and nothing else.
package struct DecisionLink: Hashable, Sendable {
    /// SHA-256 of the secret in the link, which is nowhere in clear text.
    package let digest: [UInt8]
    package let payloadHash: PayloadHash?
    package let expiresAt: Timestamp

    package init(digest: [UInt8], payloadHash: PayloadHash?, expiresAt: Timestamp) {
        self.digest = digest
        self.payloadHash = payloadHash
        self.expiresAt = expiresAt
    }
}

/// Which message, by which connector, about what.
package struct DeliveryLabel: Hashable, Sendable {
    package let id: DeliveryID
    /// The connector's id, under which it is stored.
    package let connector: String
    /// What it was called then.
    package let connectorName: String
    package let subject: DeliverySubject

    package init(id: DeliveryID, connector: String, connectorName: String, subject: DeliverySubject) {
        self.id = id
        self.connector = connector
        self.connectorName = connectorName
        self.subject = subject
    }
}

/// A message is about to be sent.
package struct DeliveryStarted: Hashable, Sendable {
    package let label: DeliveryLabel
    package let purpose: DeliveryPurpose
    /// 1 for the first of this purpose.
    package let attempt: UInt32
    /// The link in the message; `nil` when it has none that decides.
    package let link: DecisionLink?

    package init(label: DeliveryLabel, purpose: DeliveryPurpose, attempt: UInt32, link: DecisionLink?) {
        self.label = label
        self.purpose = purpose
        self.attempt = attempt
        self.link = link
    }
}

/// What came of sending a message.
package struct DeliveryEnded: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        /// The service took it; `reference` is what it calls the message, where that can be followed up.
        case delivered(statusCode: UInt32, reference: String?)
        /// It did not; without `retryAt` it is not tried again.
        case failed(statusCode: UInt32?, error: String, retryAt: Timestamp?)
    }

    package let label: DeliveryLabel
    package let purpose: DeliveryPurpose
    package let attempt: UInt32
    package let outcome: Outcome
    package let latency: Duration

    package init(
        label: DeliveryLabel, purpose: DeliveryPurpose, attempt: UInt32, outcome: Outcome, latency: Duration
    ) {
        self.label = label
        self.purpose = purpose
        self.attempt = attempt
        self.outcome = outcome
        self.latency = latency
    }
}

extension DeliveryEnded {
    package var isDelivered: Bool { if case .delivered = outcome { true } else { false } }
}

/// Somebody decided by the link of a message; it is of no use any more.
package struct DecisionLinkUsed: Hashable, Sendable {
    package let label: DeliveryLabel
    package let approves: Bool

    package init(label: DeliveryLabel, approves: Bool) {
        self.label = label
        self.approves = approves
    }
}

extension EventPayload {
    /// Which message the event is about; `nil` when it is about none.
    package var deliveryLabel: DeliveryLabel? {
        switch self {
        case .deliveryStarted(let started): started.label
        case .deliveryEnded(let ended): ended.label
        case .decisionLinkUsed(let used): used.label
        default: nil
        }
    }
}
