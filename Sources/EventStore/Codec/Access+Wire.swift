package import Domain

extension AccessRequested {
    package func write(to writer: inout WireWriter) {
        writer.add(1, subject)
        writer.add(2, toolID)
        writer.add(3, optional: agentID)
        writer.add(4, duration)
        writer.add(5, run?.runID)
        writer.add(6, run?.actionID)
        // Of the gate's own requests it is one of the tool's document; of others it is what the client says.
        writer.add(7, optional: isForOneCall ? capability : nil)
        writer.add(8, optional: payloadHash?.text)
        writer.add(9, optional: method)
        writer.add(10, optional: url)
        writer.add(11, expiresAt)
        writer.add(12, isForOneCall)
        writer.add(13, optional: headersHash?.text)
        if let tool { writer.add(14) { tool.write(to: &$0) } }
        writer.add(15, agentUID)
        writer.add(16, optional: isForOneCall ? nil : capability)
    }

    package init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (subject, toolID) = ("", "")
        var (agentID, agentUID, tool): (String?, ResourceID?, ToolIdentity?)
        var duration = Duration.zero
        var (runID, actionID): (RunID?, ActionID?)
        var (capability, payloadHash, method, url): (String?, PayloadHash?, String?, String?)
        var (expiresAt, isForOneCall, headersHash): (Timestamp, Bool, PayloadHash?)
        (expiresAt, isForOneCall, headersHash) = (Timestamp(microseconds: 0), false, nil)
        while let field = try reader.next() {
            switch field {
            case 1: subject = try reader.text()
            case 2: toolID = try reader.text()
            case 3: agentID = try reader.text()
            case 4: duration = try reader.duration()
            case 5: runID = try reader.id("run_id")
            case 6: actionID = try reader.id("action_id")
            case 7, 16: capability = try reader.text()
            case 8: payloadHash = PayloadHash(try reader.text())
            case 9: method = try reader.text()
            case 10: url = try reader.text()
            case 11: expiresAt = try reader.time()
            case 12: isForOneCall = try reader.bool()
            case 13: headersHash = PayloadHash(try reader.text())
            case 14: tool = try ToolIdentity(try reader.message())
            case 15: agentUID = try reader.id("agent_uid")
            default: try reader.skip()
            }
        }
        var run: AccessRequestTarget?
        if let runID { run = AccessRequestTarget(runID: runID, actionID: try required(actionID, "action_id")) }
        self.init(
            subject: subject, toolID: toolID, agentID: agentID, duration: duration, run: run, capability: capability,
            payloadHash: payloadHash, headersHash: headersHash, method: method, url: url, expiresAt: expiresAt,
            isForOneCall: isForOneCall, tool: tool, agentUID: agentUID)
    }
}

extension ToolIdentity {
    package func write(to writer: inout WireWriter) {
        writer.add(1, id)
        writer.add(2, origin)
    }

    package init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (id, origin): (ResourceID?, String) = (nil, "")
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.id("tool.uid")
            case 2: origin = try reader.text()
            default: try reader.skip()
            }
        }
        self.init(id: try required(id, "tool.uid"), origin: origin)
    }
}

extension AccessApproved {
    func write(to writer: inout WireWriter) {
        writer.add(1, approverID)
        writer.add(2, scope)
        writer.add(3, duration)
        writer.add(4, expiresAt)
        writer.add(5, optional: reason)
        if let signature { writer.add(6) { signature.write(to: &$0) } }
        if let requirement { writer.add(7) { requirement.write(to: &$0) } }
        writer.add(8, approvedGroups)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (approverID, scope): (String, AccessScope?) = ("", nil)
        var (duration, expiresAt) = (Duration.zero, Timestamp(microseconds: 0))
        var (reason, signature): (String?, DecisionSignature?)
        var (requirement, approvedGroups): (RequiredApproval?, [String]) = (nil, [])
        while let field = try reader.next() {
            switch field {
            case 1: approverID = try reader.text()
            case 2: scope = try reader.choice("scope")
            case 3: duration = try reader.duration()
            case 4: expiresAt = try reader.time()
            case 5: reason = try reader.text()
            case 6: signature = try DecisionSignature(try reader.message())
            case 7: requirement = try RequiredApproval(try reader.message())
            case 8: approvedGroups.append(try reader.text())
            default: try reader.skip()
            }
        }
        self.init(
            approverID: approverID, scope: try required(scope, "scope"), duration: duration, expiresAt: expiresAt,
            reason: reason, signature: signature, requirement: requirement, approvedGroups: approvedGroups)
    }
}

extension AccessRejected {
    func write(to writer: inout WireWriter) {
        writer.add(1, approverID)
        writer.add(2, optional: reason)
        if let signature { writer.add(3) { signature.write(to: &$0) } }
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (approverID, reason, signature): (String, String?, DecisionSignature?) = ("", nil, nil)
        while let field = try reader.next() {
            switch field {
            case 1: approverID = try reader.text()
            case 2: reason = try reader.text()
            case 3: signature = try DecisionSignature(try reader.message())
            default: try reader.skip()
            }
        }
        self.init(approverID: approverID, reason: reason, signature: signature)
    }
}

extension AccessScope: WireChoice {
    package var wireNumber: UInt64 {
        switch self {
        case .once: 1
        case .run: 2
        case .agentUserTTL: 3
        }
    }
}

extension AccessExpired {
    func write(to writer: inout WireWriter) { writer.add(1, optional: reason) }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var reason: String?
        while let field = try reader.next() {
            switch field {
            case 1: reason = try reader.text()
            default: try reader.skip()
            }
        }
        self.init(reason: reason)
    }
}
