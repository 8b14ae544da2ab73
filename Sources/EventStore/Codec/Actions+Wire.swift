import Domain

extension ActionBlocked {
    func write(to writer: inout WireWriter) {
        writer.add(1, actionID)
        writer.add(2, toolID)
        writer.add(3, optional: isStatedByClient ? nil : capability)
        writer.add(4, optional: payloadHash?.text)
        writer.add(5, optional: method)
        writer.add(6, optional: url)
        writer.add(7, accessRequestID)
        writer.add(8, expiresAt)
        if let call { writer.add(9) { call.write(to: &$0) } }
        writer.add(10, isConsent)
        writer.add(11, optional: isStatedByClient ? capability : nil)
    }

    /// True for a call that a client or an agent describes in words of its own.
    private var isStatedByClient: Bool { call == nil }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (actionID, accessRequestID): (ActionID?, AccessRequestID?)
        var toolID = ""
        var (capability, payloadHash, method, url): (String?, PayloadHash?, String?, String?)
        var (expiresAt, call): (Timestamp, BlockedCall?) = (Timestamp(microseconds: 0), nil)
        var isConsent = false
        while let field = try reader.next() {
            switch field {
            case 1: actionID = try reader.id("action_id")
            case 2: toolID = try reader.text()
            case 3, 11: capability = try reader.text()
            case 4: payloadHash = PayloadHash(try reader.text())
            case 5: method = try reader.text()
            case 6: url = try reader.text()
            case 7: accessRequestID = try reader.id("access_request_id")
            case 8: expiresAt = try reader.time()
            case 9: call = try BlockedCall(try reader.message())
            case 10: isConsent = try reader.bool()
            default: try reader.skip()
            }
        }
        self.init(
            actionID: try required(actionID, "action_id"), toolID: toolID, capability: capability,
            payloadHash: payloadHash, method: method, url: url, accessRequestID: accessRequestID, expiresAt: expiresAt,
            call: call, isConsent: isConsent)
    }
}

extension ActionApproved {
    func write(to writer: inout WireWriter) {
        writer.add(1, actionID)
        writer.add(2, optional: payloadHash?.text)
        writer.add(3, optional: reason)
        writer.add(4, isConsent)
        if let signature { writer.add(5) { signature.write(to: &$0) } }
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (actionID, payloadHash, reason): (ActionID?, PayloadHash?, String?)
        var (isConsent, signature): (Bool, DecisionSignature?) = (false, nil)
        while let field = try reader.next() {
            switch field {
            case 1: actionID = try reader.id("action_id")
            case 2: payloadHash = PayloadHash(try reader.text())
            case 3: reason = try reader.text()
            case 4: isConsent = try reader.bool()
            case 5: signature = try DecisionSignature(try reader.message())
            default: try reader.skip()
            }
        }
        self.init(
            actionID: try required(actionID, "action_id"), payloadHash: payloadHash, reason: reason,
            isConsent: isConsent, signature: signature)
    }
}

extension ActionRejected {
    func write(to writer: inout WireWriter) {
        writer.add(1, actionID)
        writer.add(2, optional: reason)
        if let signature { writer.add(3) { signature.write(to: &$0) } }
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (actionID, reason, signature): (ActionID?, String?, DecisionSignature?)
        while let field = try reader.next() {
            switch field {
            case 1: actionID = try reader.id("action_id")
            case 2: reason = try reader.text()
            case 3: signature = try DecisionSignature(try reader.message())
            default: try reader.skip()
            }
        }
        self.init(actionID: try required(actionID, "action_id"), reason: reason, signature: signature)
    }
}

extension ActionFailed {
    func write(to writer: inout WireWriter) {
        writer.add(1, actionID)
        writer.add(2, reason)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        let parts = try ActionReason(reader)
        self.init(actionID: parts.actionID, reason: parts.reason ?? "")
    }
}

/// What ended an action, as several messages have it: field 1 is its id, field 2 the reason.
struct ActionReason {
    let actionID: ActionID
    let reason: String?

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (actionID, reason): (ActionID?, String?)
        while let field = try reader.next() {
            switch field {
            case 1: actionID = try reader.id("action_id")
            case 2: reason = try reader.text()
            default: try reader.skip()
            }
        }
        self.actionID = try required(actionID, "action_id")
        self.reason = reason
    }
}
