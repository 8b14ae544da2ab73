import Domain

extension BlockedCall {
    func write(to writer: inout WireWriter) {
        writer.add(1, fingerprint)
        writer.add(2, reason)
        writer.add(3) { requirement.write(to: &$0) }
        writer.add(4, headers.text)
        writer.add(5, optional: payload)
        writer.add(6, optional: headersHash?.text)
        if let tool { writer.add(7) { tool.write(to: &$0) } }
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (fingerprint, requirement, payload): (UUIDValue?, RequiredApproval?, [UInt8]?)
        var tool: ToolIdentity?
        var (reason, headers, headersHash): (String, JSONText, PayloadHash?) = ("", JSONText(verified: ""), nil)
        while let field = try reader.next() {
            switch field {
            case 1: fingerprint = try reader.optionalUUID("call.fingerprint")
            case 2: reason = try reader.text()
            case 3: requirement = try RequiredApproval(try reader.message())
            case 4: headers = try reader.json()
            case 5: payload = try reader.byteArray()
            case 6: headersHash = PayloadHash(try reader.text())
            case 7: tool = try ToolIdentity(try reader.message())
            default: try reader.skip()
            }
        }
        self.init(
            fingerprint: try required(fingerprint, "call.fingerprint"), reason: reason,
            requirement: try required(requirement, "call.requirement"), headers: headers, headersHash: headersHash,
            payload: payload, tool: tool)
    }
}

extension RequiredApproval {
    package func write(to writer: inout WireWriter) {
        writer.add(1, name)
        writer.add(2, groups)
        writer.add(3, needsEveryGroup)
        writer.add(4, optional: duration)
        if let delivery { writer.add(5) { delivery.write(to: &$0) } }
        writer.add(6, needsSignature)
        writer.add(7, optional: durationMax)
        for clause in mixedClauses { writer.add(8) { $0.add(1, clause) } }
    }

    package init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (name, groups, needsEveryGroup): (String, [String], Bool) = ("", [], false)
        var mixedClauses: [[String]] = []
        var (needsSignature, durationMax): (Bool, Duration?) = (false, nil)
        var (duration, delivery): (Duration?, RequestedDelivery?)
        while let field = try reader.next() {
            switch field {
            case 1: name = try reader.text()
            case 2: groups.append(try reader.text())
            case 3: needsEveryGroup = try reader.bool()
            case 4: duration = try reader.duration()
            case 5: delivery = try RequestedDelivery(try reader.message())
            case 6: needsSignature = try reader.bool()
            case 7: durationMax = try reader.duration()
            case 8: mixedClauses.append(try Self.clause(try reader.message()))
            default: try reader.skip()
            }
        }
        self.init(
            name: name, groups: groups, needsEveryGroup: needsEveryGroup, duration: duration, delivery: delivery,
            needsSignature: needsSignature, durationMax: durationMax, mixedClauses: mixedClauses)
    }

    private static func clause(_ reader: consuming WireReader) throws(MalformedRecord) -> [String] {
        var groups: [String] = []
        while let field = try reader.next() {
            switch field {
            case 1: groups.append(try reader.text())
            default: try reader.skip()
            }
        }
        return groups
    }
}

extension RequestedDelivery {
    func write(to writer: inout WireWriter) {
        writer.add(1, connectors)
        writer.add(2, optional: mode)
        if let fallsBackToUI { writer.add(3, optional: fallsBackToUI ? 1 : 0) }
        writer.add(4, includesDefaults)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (connectors, mode, fallsBackToUI): ([String], String?, Bool?) = ([], nil, nil)
        var includesDefaults = false
        while let field = try reader.next() {
            switch field {
            case 1: connectors.append(try reader.text())
            case 2: mode = try reader.text()
            case 3: fallsBackToUI = try reader.bool()
            case 4: includesDefaults = try reader.bool()
            default: try reader.skip()
            }
        }
        self.init(
            connectors: connectors, mode: mode, fallsBackToUI: fallsBackToUI, includesDefaults: includesDefaults)
    }
}

extension ActionVoted {
    func write(to writer: inout WireWriter) {
        writer.add(1, actionID)
        writer.add(2, approverID)
        writer.add(3, groups)
        writer.add(4, optional: reason)
        if let signature { writer.add(5) { signature.write(to: &$0) } }
        if scope != .once { writer.add(6, scope) }
        writer.add(7, optional: duration)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (actionID, approverID): (ActionID?, String) = (nil, "")
        var (groups, reason, signature): ([String], String?, DecisionSignature?) = ([], nil, nil)
        var (scope, duration): (AccessScope, Duration?) = (.once, nil)
        while let field = try reader.next() {
            switch field {
            case 1: actionID = try reader.id("action_id")
            case 2: approverID = try reader.text()
            case 3: groups.append(try reader.text())
            case 4: reason = try reader.text()
            case 5: signature = try DecisionSignature(try reader.message())
            case 6: scope = try reader.choice("scope")
            case 7: duration = try reader.duration()
            default: try reader.skip()
            }
        }
        self.init(
            actionID: try required(actionID, "action_id"), approverID: approverID, groups: groups, reason: reason,
            signature: signature, scope: scope, duration: duration)
    }
}
