import Authentication
package import Domain
import EventStreaming

/// A decision's signature with what it is of, made again from the events.
package struct SignedDecision: Sendable {
    let signature: DecisionSignature
    /// The text of the version that was signed; the current one where the signature is of none.
    let text: String

    /// The signature that an event carries; `nil` for an event without one, or whose signer was erased.
    init?(_ payload: EventPayload, of statement: DecisionStatement) {
        guard let (signature, decision) = payload.signed, !signature.bytes.isEmpty else { return nil }
        self.signature = signature
        let texts = statement.versions.map { statement.text(decision, grant: signature.grant, $0) }
        text = texts.dropFirst().first { (try? Self.verify(signature, of: $0)) != nil } ?? texts[0]
    }

    /// - Throws: `SSHFailure` unless the signature is of this statement.
    func verify() throws(SSHFailure) { try Self.verify(signature, of: text) }

    private static func verify(_ signature: DecisionSignature, of text: String) throws(SSHFailure) {
        try SSHSignature(bytes: signature.bytes).verify(text, namespace: DecisionSignature.namespace)
    }

    /// What `ssh-keygen -Y verify` needs.
    var json: JSONText {
        let key = try? SSHSignature(bytes: signature.bytes).key
        return .object { json in
            json.add("principal", signature.principal)
            json.add("key_fingerprint", key?.fingerprint)
            json.add("public_key", key?.line)
            json.add("namespace", DecisionSignature.namespace)
            json.add("statement", text)
            json.add("signature", SSHSignature.armored(signature.bytes))
        }
    }
}

extension DecisionStatement {
    /// What the event lets somebody decide on; `nil` for events that do not.
    init?(_ event: Event) {
        switch event.payload {
        case .actionBlocked(let blocked):
            guard let run = event.runID else { return nil }
            self.init(blocked, of: run, in: event.workspace)
        case .accessRequested(let requested):
            self.init(requested, AccessRequestID(event.stream.id), in: event.workspace)
        default: return nil
        }
    }
}

extension EventPayload {
    /// The signature of a decision, and which it is.
    var signed: (DecisionSignature, DecisionStatement.Decision)? {
        switch self {
        case .actionVoted(let voted): voted.signature.map { ($0, .approve) }
        case .actionApproved(let approved): approved.signature.map { ($0, .approve) }
        case .actionRejected(let rejected): rejected.signature.map { ($0, .reject) }
        case .accessApproved(let approved): approved.signature.map { ($0, .approve) }
        case .accessRejected(let rejected): rejected.signature.map { ($0, .reject) }
        default: nil
        }
    }

    /// True when what is allowed is no more than what was signed.
    func allows(_ statement: DecisionStatement) -> Bool {
        switch self {
        case .actionApproved(let approved):
            return approved.signature == nil || approved.payloadHash?.text == statement.payloadHash
        case .accessApproved(let approved):
            guard let signature = approved.signature else { return true }
            guard let grant = signature.grant else { return approved.scope == .once }
            // Less than was signed, where another approver agreed to less.
            return approved.scope.isWithin(grant.scope) && approved.duration <= grant.duration
        default: return true
        }
    }
}
