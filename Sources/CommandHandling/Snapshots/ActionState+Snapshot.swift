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
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (id, toolID, payloadHash): (ActionID?, String, PayloadHash?) = (nil, "", nil)
        var (accessRequestID, status): (AccessRequestID?, ActionStatus?)
        var (method, url, gate): (String?, String?, Gate?)
        var (expiresAt, isSpent, isConsent) = (Timestamp(microseconds: 0), false, false)
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
            default: throw .missing("action")
            }
        }
        self.init(
            id: try required(id, "action"), toolID: toolID, method: method, url: url, payloadHash: payloadHash,
            accessRequestID: accessRequestID, expiresAt: expiresAt, gate: gate,
            isConsent: isConsent, status: try required(status, "status"), isSpent: isSpent)
    }
}

extension ActionState.Gate {
    fileprivate func write(to writer: inout WireWriter) {
        writer.add(1, groups)
        writer.add(2, needsEveryGroup)
        writer.add(3, approvedGroups)
        writer.add(4, needsSignature)
        writer.add(5, optional: headersHash?.text)
    }

    fileprivate init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (groups, needsEveryGroup, approvedGroups): ([String], Bool, [String]) = ([], false, [])
        var (needsSignature, headersHash): (Bool, PayloadHash?) = (false, nil)
        while let field = try reader.next() {
            switch field {
            case 1: groups.append(try reader.text())
            case 2: needsEveryGroup = try reader.bool()
            case 3: approvedGroups.append(try reader.text())
            case 4: needsSignature = try reader.bool()
            case 5: headersHash = PayloadHash(try reader.text())
            default: throw .missing("gate")
            }
        }
        self.init(
            groups: groups, needsEveryGroup: needsEveryGroup, needsSignature: needsSignature,
            headersHash: headersHash, approvedGroups: approvedGroups)
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
