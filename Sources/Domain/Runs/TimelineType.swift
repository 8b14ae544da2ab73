/// The types under which Sluice itself writes entries on a run's timeline.
///
/// A case for each, so that a type the server writes is one that clients cannot add.
package enum TimelineType: String, Hashable, Sendable, CaseIterable {
    case runCreated = "RUN_CREATED"
    case invokeRequested = "INVOKE_REQUESTED"
    case invokeCompleted = "INVOKE_COMPLETED"
    case invokeFailed = "INVOKE_FAILED"
    case resumed = "RESUMED"
    case completed = "COMPLETED"
    case failed = "FAILED"
    case approvalRequired = "APPROVAL_REQUIRED"
    case approvalVote = "APPROVAL_VOTE"
    case approvalGranted = "APPROVAL_GRANTED"
    case approvalRejected = "APPROVAL_REJECTED"
    case approved = "APPROVED"
    case rejected = "REJECTED"
    case consentRequired = "CONSENT_REQUIRED"
    case consentGranted = "CONSENT_GRANTED"
    case payloadMismatch = "PAYLOAD_MISMATCH"
    case toolCalled = "TOOL_CALLED"
    case toolRefused = "TOOL_REFUSED"
    case toolResponse = "TOOL_RESPONSE"
    case modelCall = "LLM_CALL"

    /// Families of types that state a governance fact, whichever of them the server writes.
    private static let reservedPrefixes = ["APPROVAL_", "CONSENT_", "INVOKE_"]
    private static let separators = Array("-_.:/".utf8)

    /// True for types of letters, digits and separators of ASCII: no other character looks like one of these, or like none.
    static func isWellFormed(_ type: String) -> Bool {
        type.utf8.allSatisfy { byte in
            isDigit(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(uppercased(byte))
                || separators.contains(byte)
        }
    }

    /// True for types that the server alone writes to such a run, in any case of letters and with any separators.
    static func isReserved(_ type: String, serverDriven: Bool) -> Bool {
        let name = type.utf8.map { separators.contains($0) ? UInt8(ascii: "_") : uppercased($0) }
        guard !reservedPrefixes.contains(where: { name.starts(with: $0.utf8) }) else { return true }
        let letters = withoutSeparators(name)
        return allCases.contains { reserved in
            !reserved.isOpenToClients(serverDriven: serverDriven)
                && withoutSeparators(Array(reserved.rawValue.utf8)) == letters
        }
    }

    /// True for what clients state as well: results of tools, and the model calls of a run that its client drives.
    private func isOpenToClients(serverDriven: Bool) -> Bool {
        switch self {
        case .toolResponse: true
        case .modelCall: !serverDriven
        default: false
        }
    }

    private static func withoutSeparators(_ name: [UInt8]) -> [UInt8] { name.filter { !separators.contains($0) } }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func uppercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) ? byte & ~0x20 : byte
    }
}
