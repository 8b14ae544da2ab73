/// A decision's signature by the approver's own SSH key, as it is kept with the decision.
///
/// The signature has the public key in it. What was signed is made again from the events (`DecisionStatement`), so the
/// two that only the approver chooses, scope and duration, are here.
package struct DecisionSignature: Hashable, Sendable {
    /// The namespace that decisions are signed in (`ssh-keygen -Y sign -n`).
    package static let namespace = "sluice-decision"
    /// Room for an RSA key of 8192 bits with its signature.
    package static let bytesMax = 4_096

    /// Whose key it was when the decision was made.
    package let principal: String
    /// The SSHSIG blob of OpenSSH's PROTOCOL.sshsig, without its armor.
    package let bytes: [UInt8]
    /// What the signed approval grants beyond that one call; `nil` means nothing.
    package let grant: SignedGrant?

    package init(principal: String, bytes: [UInt8], grant: SignedGrant?) {
        self.principal = principal
        self.bytes = bytes
        self.grant = grant
    }
}

/// What an approval grants, as it was signed.
package struct SignedGrant: Hashable, Sendable {
    package let scope: AccessScope
    package let duration: Duration

    package init(scope: AccessScope, duration: Duration) {
        self.scope = scope
        self.duration = duration
    }
}

/// Refuses what is no signature of a decision; whether it verifies is seen to before a command is made.
func checkSignature(_ signature: DecisionSignature?, _ limits: Limits) throws(Rejection) {
    guard let signature else { return }
    try checkText(signature.principal, "principal", required: true, bytesMax: limits.textBytesMax)
    guard (1...DecisionSignature.bytesMax).contains(signature.bytes.count) else {
        throw Rejection(.invalidArgument, "signature must have 1 to \(DecisionSignature.bytesMax) bytes")
    }
}
