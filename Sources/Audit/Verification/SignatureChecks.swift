import Authentication
import Domain

/// Checks the SSH signatures of decisions, as the events of a file go by.
struct SignatureChecks {
    /// What was blocked or asked for, and is not decided yet: as many as a run has open at once.
    private var statements: [UUIDValue: DecisionStatement] = [:]
    private(set) var count = 0
    /// Signatures of decisions on what stands before the file's beginning, or is not disclosed.
    private(set) var uncheckedCount = 0

    /// - Parameter isWhole: whether everything that the event says is known.
    /// - Returns: why the event's signature is not one of its decision; `nil` when it is, or has none.
    mutating func failure(_ event: Event, isWhole: Bool) -> String? {
        if let statement = DecisionStatement(event), let id = event.decided {
            statements[id] = isWhole ? statement : nil
            return nil
        }
        guard let id = event.decided else { return nil }
        defer { if !event.isVote { statements[id] = nil } }
        guard event.payload.signed != nil else { return nil }
        guard isWhole, let statement = statements[id], let signed = SignedDecision(event.payload, of: statement) else {
            uncheckedCount += 1
            return nil
        }
        guard event.payload.allows(statement) else { return "it allows something else than was signed" }
        do throws(SSHFailure) {
            try signed.verify()
        } catch {
            return "its signature is not that of the decision: \(error)"
        }
        count += 1
        return nil
    }
}

extension Event {
    fileprivate var isVote: Bool { if case .actionVoted = payload { true } else { false } }

    /// The action, or the request, that the event opens, votes on or ends.
    fileprivate var decided: UUIDValue? {
        switch payload {
        case .actionBlocked(let blocked): blocked.actionID.value
        case .actionVoted(let voted): voted.actionID.value
        case .actionApproved(let approved): approved.actionID.value
        case .actionRejected(let rejected): rejected.actionID.value
        case .actionExpired(let expired): expired.actionID.value
        case .actionFailed(let failed): failed.actionID.value
        case .accessRequested, .accessApproved, .accessRejected, .accessExpired: stream.id
        default: nil
        }
    }
}
