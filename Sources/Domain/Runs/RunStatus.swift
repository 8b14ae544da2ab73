/// Where a run stands.
package enum RunStatus: String, Hashable, Sendable, CaseIterable {
    case running = "RUNNING"
    case pausedApproval = "PAUSED_APPROVAL"
    case pausedConsent = "PAUSED_CONSENT"
    case completed = "COMPLETED"
    case failed = "FAILED"

    /// A finished run never changes.
    package var isFinished: Bool { self == .completed || self == .failed }

    package var isPaused: Bool { self == .pausedApproval || self == .pausedConsent }

    /// The contract's table of transitions, apart from what a blocked action forbids.
    package func canBecome(_ next: RunStatus) -> Bool {
        switch self {
        case .running: next != .running
        case .pausedApproval, .pausedConsent: next == .running || next == .failed
        case .completed, .failed: false
        }
    }

    var timelineType: TimelineType? {
        switch self {
        case .running: .resumed
        case .pausedApproval: nil
        case .pausedConsent: .consentRequired
        case .completed: .completed
        case .failed: .failed
        }
    }
}

/// Where a blocked action stands.
package enum ActionStatus: String, Hashable, Sendable, CaseIterable {
    case blocked = "BLOCKED"
    case approved = "APPROVED"
    case rejected = "REJECTED"
    case executed = "EXECUTED"
    case failed = "FAILED"
    case expired = "EXPIRED"
}

/// Where an access request stands.
package enum AccessRequestStatus: String, Hashable, Sendable, CaseIterable {
    case pending = "PENDING"
    case approved = "APPROVED"
    case rejected = "REJECTED"
    case expired = "EXPIRED"
}
