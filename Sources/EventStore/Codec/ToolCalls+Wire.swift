import Domain

extension ToolCall {
    func write(to writer: inout WireWriter) {
        writer.add(1, id)
        writer.add(2, toolID)
        writer.add(3, optional: capability)
        writer.add(4, method)
        writer.add(5, url)
        writer.add(6, payloadHash.text)
        writer.add(7, fingerprint)
        writer.add(8, isRepeatable)
        writer.add(9, actionID)
        writer.add(10, grantID)
        writer.add(11, optional: headersHash?.text)
        writer.add(12, optional: attempt.map(UInt64.init))
        writer.add(13, optional: occurrence.map(UInt64.init))
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (id, fingerprint): (ToolCallID?, UUIDValue?)
        var (toolID, capability, method, url): (String, String?, String, String) = ("", nil, "", "")
        var (payloadHash, headersHash, isRepeatable): (PayloadHash, PayloadHash?, Bool) = (PayloadHash(""), nil, false)
        var (actionID, grantID): (ActionID?, AccessRequestID?)
        var (attempt, occurrence): (UInt32?, UInt32?)
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.id("call_id")
            case 2: toolID = try reader.text()
            case 3: capability = try reader.text()
            case 4: method = try reader.text()
            case 5: url = try reader.text()
            case 6: payloadHash = PayloadHash(try reader.text())
            case 7: fingerprint = try reader.optionalUUID("fingerprint")
            case 8: isRepeatable = try reader.bool()
            case 9: actionID = try reader.id("action_id")
            case 10: grantID = try reader.id("grant_id")
            case 11: headersHash = PayloadHash(try reader.text())
            case 12: attempt = try reader.unsigned32()
            case 13: occurrence = try reader.unsigned32()
            default: try reader.skip()
            }
        }
        self.init(
            id: try required(id, "call_id"), toolID: toolID, capability: capability, method: method, url: url,
            payloadHash: payloadHash, headersHash: headersHash, fingerprint: try required(fingerprint, "fingerprint"),
            isRepeatable: isRepeatable, attempt: attempt, occurrence: occurrence, actionID: actionID, grantID: grantID)
    }
}

extension ToolCallStarted {
    func write(to writer: inout WireWriter) { writer.add(1) { call.write(to: &$0) } }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var call: ToolCall?
        while let field = try reader.next() {
            if field == 1 { call = try ToolCall(try reader.message()) } else { try reader.skip() }
        }
        self.init(call: try required(call, "call"))
    }
}

extension ToolCalled {
    func write(to writer: inout WireWriter) {
        writer.add(1) { call.write(to: &$0) }
        switch outcome {
        case .answered(let statusCode):
            writer.add(2, 1 as UInt64)
            writer.add(3, statusCode)
        case .unreached(let statusCode, let error):
            writer.add(2, 2 as UInt64)
            writer.add(3, statusCode)
            writer.add(4, error)
        case .unknown(let error):
            writer.add(2, 3 as UInt64)
            writer.add(4, error)
        }
        writer.add(5, latency)
        writer.add(6, answerBytes)
        writer.add(7, optional: answer)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (call, answer): (ToolCall?, [UInt8]?)
        var (kind, statusCode, error): (UInt64, UInt32, String) = (0, 0, "")
        var (latency, answerBytes) = (Duration.zero, UInt64(0))
        while let field = try reader.next() {
            switch field {
            case 1: call = try ToolCall(try reader.message())
            case 2: kind = try reader.unsigned()
            case 3: statusCode = try reader.unsigned32()
            case 4: error = try reader.text()
            case 5: latency = try reader.duration()
            case 6: answerBytes = try reader.unsigned()
            case 7: answer = try reader.byteArray()
            default: try reader.skip()
            }
        }
        let outcome: Outcome
        switch kind {
        case 1: outcome = .answered(statusCode: statusCode)
        case 2: outcome = .unreached(statusCode: statusCode, error: error)
        case 3: outcome = .unknown(error: error)
        default: throw .missing("outcome")
        }
        self.init(
            call: try required(call, "call"), outcome: outcome, latency: latency, answerBytes: answerBytes,
            answer: answer)
    }
}

extension ToolCallInterrupted {
    func write(to writer: inout WireWriter) { writer.add(1, callID) }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        self.init(callID: try ToolCallReplayed(reader).callID)
    }
}

extension ToolCallReplayed {
    func write(to writer: inout WireWriter) { writer.add(1, callID) }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var callID: ToolCallID?
        while let field = try reader.next() {
            if field == 1 { callID = try reader.id("call_id") } else { try reader.skip() }
        }
        self.init(callID: try required(callID, "call_id"))
    }
}

extension ToolCallRefused {
    func write(to writer: inout WireWriter) {
        writer.add(1, toolID)
        writer.add(2, method)
        writer.add(3, url)
        writer.add(4, payloadHash.text)
        writer.add(5, reason)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (toolID, method, url, payloadHash, reason) = ("", "", "", "", "")
        while let field = try reader.next() {
            switch field {
            case 1: toolID = try reader.text()
            case 2: method = try reader.text()
            case 3: url = try reader.text()
            case 4: payloadHash = try reader.text()
            case 5: reason = try reader.text()
            default: try reader.skip()
            }
        }
        self.init(toolID: toolID, method: method, url: url, payloadHash: PayloadHash(payloadHash), reason: reason)
    }
}

extension PayloadMismatched {
    func write(to writer: inout WireWriter) {
        writer.add(1, actionID)
        writer.add(2, approved.text)
        writer.add(3, presented.text)
        writer.add(4, optional: headers?.approved.text)
        writer.add(5, optional: headers?.presented.text)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (actionID, approved, presented): (ActionID?, String, String) = (nil, "", "")
        var (approvedHeaders, presentedHeaders): (PayloadHash?, PayloadHash?)
        while let field = try reader.next() {
            switch field {
            case 1: actionID = try reader.id("action_id")
            case 2: approved = try reader.text()
            case 3: presented = try reader.text()
            case 4: approvedHeaders = PayloadHash(try reader.text())
            case 5: presentedHeaders = PayloadHash(try reader.text())
            default: try reader.skip()
            }
        }
        var headers: Headers?
        if let approvedHeaders {
            headers = Headers(approved: approvedHeaders, presented: presentedHeaders ?? PayloadHash(""))
        }
        self.init(
            actionID: try required(actionID, "action_id"), approved: PayloadHash(approved),
            presented: PayloadHash(presented), headers: headers)
    }
}
