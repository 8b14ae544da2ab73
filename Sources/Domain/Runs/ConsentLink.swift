/// The link by which a run's user begins to consent: `…/oauth/start/<run>/<action>/<seal>`.
///
/// The seal opens the link, and records are read by more people than the run's user. So the seal is redacted in what an
/// agent sends for the record, and shown again to those entitled to the link.
package enum ConsentLink {
    package static let path = "/oauth/start/"
    /// Stands for a seal in records.
    package static let redactedSeal = "***"
    package static let sealDigits = 32
    private static let identifierDigits = 36

    /// The text with the seal of every consent link redacted, also where its slashes are escaped.
    package static func redacted(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var kept: [UInt8] = []
        var (copied, index) = (0, 0)
        while let start = firstIndex(of: "oauth", in: bytes, from: index) {
            guard let seal = seal(in: bytes, after: start + 5) else {
                index = start + 5
                continue
            }
            kept += bytes[copied..<seal.lowerBound] + Array(redactedSeal.utf8)
            (copied, index) = (seal.upperBound, seal.upperBound)
        }
        return copied == 0 ? text : String(decoding: kept + bytes[copied...], as: UTF8.self)
    }

    package static func redacted(_ document: JSONText) -> JSONText { JSONText(verified: redacted(document.text)) }

    /// The digits of the seal, when what stands there is the rest of a link.
    private static func seal(in bytes: [UInt8], after start: Int) -> Range<Int>? {
        var index = start
        guard skipSlash(bytes, &index), starts(bytes[index...], with: "start") else { return nil }
        index += 5
        for _ in 0..<2 {
            guard skipSlash(bytes, &index), isIdentifier(bytes.dropFirst(index).prefix(identifierDigits)) else {
                return nil
            }
            index += identifierDigits
        }
        guard skipSlash(bytes, &index) else { return nil }
        let digits = bytes.dropFirst(index).prefix(sealDigits)
        guard digits.count == sealDigits, digits.allSatisfy(isHexDigit) else { return nil }
        return index..<(index + sealDigits)
    }

    /// Passes a slash as it is, escaped in JSON, also within JSON, or percent-encoded, also twice.
    private static func skipSlash(_ bytes: [UInt8], _ index: inout Int) -> Bool {
        let escapes = bytes.dropFirst(index).prefix(8).prefix { $0 == UInt8(ascii: "\\") }.count
        let forms = escapes > 0 ? ["/", "u002F", "u002f"] : ["/", "%2F", "%2f", "%252F", "%252f"]
        for form in forms where starts(bytes.dropFirst(index + escapes), with: form) {
            index += escapes + form.utf8.count
            return true
        }
        return false
    }

    private static func starts(_ bytes: ArraySlice<UInt8>, with text: String) -> Bool { bytes.starts(with: text.utf8) }

    private static func isIdentifier(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.count == identifierDigits && bytes.allSatisfy { isHexDigit($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }

    private static func firstIndex(of word: StaticString, in bytes: [UInt8], from start: Int) -> Int? {
        let count = word.utf8CodeUnitCount
        guard bytes.count >= start + count else { return nil }
        let first = word.utf8Start[0]
        return (start...(bytes.count - count)).first { index in
            bytes[index] == first && (1..<count).allSatisfy { bytes[index + $0] == word.utf8Start[$0] }
        }
    }
}

extension RunEventAdded {
    /// The entry as it is recorded, with the agent that adds it when one does.
    func recorded(for agentID: String?) -> RunEventAdded {
        RunEventAdded(
            type: type, actor: actor, payloadHash: payloadHash, data: data.map(ConsentLink.redacted), agentID: agentID)
    }
}

extension CheckpointSaved {
    /// The checkpoint as it is recorded.
    var withoutConsentLinks: CheckpointSaved {
        CheckpointSaved(
            checkpointID: checkpointID, actionID: actionID, document: ConsentLink.redacted(document),
            restartsHandler: restartsHandler)
    }
}

extension ToolResultRecorded {
    /// The result as it is recorded.
    var withoutConsentLinks: ToolResultRecorded {
        ToolResultRecorded(toolID: toolID, document: ConsentLink.redacted(document))
    }
}

extension InvokeCompleted {
    /// The agent's response as it is recorded.
    var withoutConsentLinks: InvokeCompleted {
        InvokeCompleted(
            purpose: purpose, attempt: attempt, statusCode: statusCode, response: response.map(ConsentLink.redacted),
            outcome: outcome)
    }
}

extension InvokeFailed {
    /// The failure as it is recorded.
    var withoutConsentLinks: InvokeFailed { withError(ConsentLink.redacted(error)) }
}
