import Domain
import EventStore

extension ActionState {
    func write(to writer: inout WireWriter) {
        writer.add(1, id)
        writer.add(2, toolID)
        writer.add(3, optional: payloadHash?.text)
        writer.add(4, accessRequestID)
        writer.add(5, expiresAt)
        writer.add(6, status)
        writer.add(7, optional: method)
        writer.add(8, optional: url)
        if let gate { writer.add(9) { gate.write(to: &$0) } }
        writer.add(10, isSpent)
        writer.add(11, isConsent)
        writer.add(12, callID)
        writer.add(13, createdAttempt)
        writer.add(14, optional: approvedAttempt.map(UInt64.init))
        writer.add(15, UInt64(checkpoint.rawValue))
        writer.add(16, optional: checkpointAttempt.map(UInt64.init))
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (id, toolID, payloadHash): (ActionID?, String, PayloadHash?) = (nil, "", nil)
        var (accessRequestID, status): (AccessRequestID?, ActionStatus?)
        var (method, url, gate): (String?, String?, Gate?)
        var (expiresAt, isSpent, isConsent) = (Timestamp(microseconds: 0), false, false)
        var (callID, createdAttempt, approvedAttempt): (ToolCallID?, UInt32, UInt32?) = (nil, 0, nil)
        var (checkpoint, checkpointAttempt): (Checkpoint?, UInt32?) = (Checkpoint.none, nil)
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.id("action")
            case 2: toolID = try reader.text()
            case 3: payloadHash = PayloadHash(try reader.text())
            case 4: accessRequestID = try reader.id("access request")
            case 5: expiresAt = try reader.time()
            case 6: status = try reader.choice("status")
            case 7: method = try reader.text()
            case 8: url = try reader.text()
            case 9: gate = try Gate(try reader.message())
            case 10: isSpent = try reader.bool()
            case 11: isConsent = try reader.bool()
            case 12: callID = try reader.id("call")
            case 13: createdAttempt = try reader.unsigned32()
            case 14: approvedAttempt = try reader.unsigned32()
            case 15: checkpoint = Checkpoint(rawValue: UInt8(truncatingIfNeeded: try reader.unsigned()))
            case 16: checkpointAttempt = try reader.unsigned32()
            default: throw .missing("action")
            }
        }
        self.init(
            id: try required(id, "action"), toolID: toolID, method: method, url: url, payloadHash: payloadHash,
            accessRequestID: accessRequestID, expiresAt: expiresAt, gate: gate,
            isConsent: isConsent, status: try required(status, "status"), isSpent: isSpent, callID: callID,
            createdAttempt: createdAttempt, approvedAttempt: approvedAttempt,
            checkpoint: try required(checkpoint, "checkpoint"), checkpointAttempt: checkpointAttempt)
    }
}

extension ActionState.Gate {
    fileprivate func write(to writer: inout WireWriter) {
        writer.add(1) { requirement.write(to: &$0) }
        for vote in votes { writer.add(2) { vote.write(to: &$0) } }
        writer.add(3, optional: headersHash?.text)
        if let tool { writer.add(4) { tool.write(to: &$0) } }
        for approver in approvers { writer.add(5) { approver.write(to: &$0) } }
    }

    fileprivate init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (requirement, votes): (RequiredApproval?, [ActionState.Vote]) = (nil, [])
        var (headersHash, tool, approvers): (PayloadHash?, ToolIdentity?, [Actor]) = (nil, nil, [])
        while let field = try reader.next() {
            switch field {
            case 1: requirement = try RequiredApproval(try reader.message())
            case 2: votes.append(try ActionState.Vote(try reader.message()))
            case 3: headersHash = PayloadHash(try reader.text())
            case 4: tool = try ToolIdentity(try reader.message())
            case 5: approvers.append(try Actor(try reader.message()))
            default: throw .missing("gate")
            }
        }
        self.init(
            requirement: try required(requirement, "requirement"), headersHash: headersHash, tool: tool,
            votes: votes, approvers: approvers)
    }
}

extension ActionState.Vote {
    fileprivate func write(to writer: inout WireWriter) {
        writer.add(1) { approver.write(to: &$0) }
        writer.add(2, groups)
        writer.add(3, scope)
        writer.add(4, optional: duration)
        writer.add(5, isSigned)
    }

    fileprivate init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (approver, groups, scope): (Actor?, [String], AccessScope?) = (nil, [], nil)
        var (duration, isSigned): (Duration?, Bool) = (nil, false)
        while let field = try reader.next() {
            switch field {
            case 1: approver = try Actor(try reader.message())
            case 2: groups.append(try reader.text())
            case 3: scope = try reader.choice("scope")
            case 4: duration = try reader.duration()
            case 5: isSigned = try reader.bool()
            default: throw .missing("vote")
            }
        }
        self.init(
            approver: try required(approver, "approver"), groups: groups, scope: try required(scope, "scope"),
            duration: duration, isSigned: isSigned)
    }
}

extension ActionStatus: WireChoice {
    package var wireNumber: UInt64 {
        switch self {
        case .blocked: 1
        case .approved: 2
        case .rejected: 3
        case .executed: 4
        case .failed: 5
        case .expired: 6
        }
    }
}
