import Domain

extension ModelCalled {
    func write(to writer: inout WireWriter) {
        writer.add(1, provider)
        writer.add(2, providerKind)
        writer.add(3, model)
        writer.add(4, optional: role)
        writer.add(5, operation)
        writer.add(6, optional: agentID)
        writer.add(7, optional: userID)
        writer.add(8, isStreamed)
        switch outcome {
        case .answered(let statusCode):
            writer.add(9, 1 as UInt64)
            writer.add(10, statusCode)
        case .failed(let error):
            writer.add(9, 2 as UInt64)
            writer.add(11, error)
        case .overBudget: writer.add(9, 3 as UInt64)
        }
        if let usage { writer.add(12) { usage.write(to: &$0) } }
        writer.add(13, isEstimated)
        writer.add(14, latency)
        writer.add(15, optional: timeToFirstByte)
        if let price { writer.add(16) { price.write(to: &$0) } }
        writer.add(17, optional: cost?.value)
        writer.add(18, isNearBudget)
        writer.add(19, callID)
        writer.add(20, optional: askedModel)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (provider, providerKind, model, operation): (String, String, String, String) = ("", "", "", "")
        var (role, agentID, userID): (String?, String?, String?) = (nil, nil, nil)
        var askedModel: String?
        var (isStreamed, isEstimated, isNearBudget) = (false, false, false)
        var (kind, statusCode, error): (UInt64, UInt32, String) = (0, 0, "")
        var (latency, timeToFirstByte): (Duration, Duration?) = (.zero, nil)
        var (usage, price, cost): (TokenUsage?, ModelPrice?, UInt64?) = (nil, nil, nil)
        var callID: ModelCallID?
        while let field = try reader.next() {
            switch field {
            case 1: provider = try reader.text()
            case 2: providerKind = try reader.text()
            case 3: model = try reader.text()
            case 4: role = try reader.text()
            case 5: operation = try reader.text()
            case 6: agentID = try reader.text()
            case 7: userID = try reader.text()
            case 8: isStreamed = try reader.bool()
            case 9: kind = try reader.unsigned()
            case 10: statusCode = try reader.unsigned32()
            case 11: error = try reader.text()
            case 12: usage = try TokenUsage(try reader.message())
            case 13: isEstimated = try reader.bool()
            case 14: latency = try reader.duration()
            case 15: timeToFirstByte = try reader.duration()
            case 16: price = try ModelPrice(try reader.message())
            case 17: cost = try reader.unsigned()
            case 18: isNearBudget = try reader.bool()
            case 19: callID = try reader.id("call_id")
            case 20: askedModel = try reader.text()
            default: try reader.skip()
            }
        }
        let outcome: Outcome
        switch kind {
        case 1: outcome = .answered(statusCode: statusCode)
        case 2: outcome = .failed(error: error)
        case 3: outcome = .overBudget
        default: throw .missing("outcome")
        }
        self.init(
            provider: provider, providerKind: providerKind, model: model, role: role, operation: operation,
            agentID: agentID, userID: userID, isStreamed: isStreamed, outcome: outcome, usage: usage,
            isEstimated: isEstimated, latency: latency, timeToFirstByte: timeToFirstByte, price: price,
            cost: cost.map(MicroUSD.init), isNearBudget: isNearBudget, callID: callID, askedModel: askedModel)
    }
}

extension ModelAnswerRecorded {
    func write(to writer: inout WireWriter) {
        writer.add(1, callID)
        writer.add(2, identity)
        writer.add(3, optional: answer)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (callID, identity, answer): (ModelCallID?, UUIDValue?, [UInt8]?)
        while let field = try reader.next() {
            switch field {
            case 1: callID = try reader.id("call_id")
            case 2: identity = try reader.optionalUUID("identity")
            case 3: answer = try reader.byteArray()
            default: try reader.skip()
            }
        }
        self.init(
            callID: try required(callID, "call_id"), identity: try required(identity, "identity"), answer: answer)
    }
}

extension ModelCallReplayed {
    func write(to writer: inout WireWriter) {
        writer.add(1, callID)
        writer.add(2, isAskedAgain)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (callID, isAskedAgain): (ModelCallID?, Bool) = (nil, false)
        while let field = try reader.next() {
            switch field {
            case 1: callID = try reader.id("call_id")
            case 2: isAskedAgain = try reader.bool()
            default: try reader.skip()
            }
        }
        self.init(callID: try required(callID, "call_id"), isAskedAgain: isAskedAgain)
    }
}

extension TokenUsage {
    func write(to writer: inout WireWriter) {
        writer.add(1, prompt)
        writer.add(2, completion)
        writer.add(3, cached)
        writer.add(4, cacheWrite)
        writer.add(5, cacheWriteHour)
        writer.add(6, audioPrompt)
        writer.add(7, reasoning)
        writer.add(8, audioCompletion)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        let values = try EightNumbers(reader)
        self.init(
            prompt: values[1] ?? 0, completion: values[2] ?? 0, cached: values[3] ?? 0,
            details: Details(
                cacheWrite: values[4] ?? 0, cacheWriteHour: values[5] ?? 0, audioPrompt: values[6] ?? 0,
                reasoning: values[7] ?? 0, audioCompletion: values[8] ?? 0))
    }
}

extension ModelPrice {
    func write(to writer: inout WireWriter) {
        writer.add(1, input.value)
        writer.add(2, output.value)
        writer.add(3, cachedInput.value)
        let details = details
        writer.add(4, optional: details.cacheWrite?.value)
        writer.add(5, optional: details.cacheWriteHour?.value)
        writer.add(6, optional: details.audioInput?.value)
        writer.add(7, optional: details.audioOutput?.value)
        writer.add(8, optional: details.reasoning?.value)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        let values = try EightNumbers(reader)
        func amount(_ field: Int) -> MicroUSD? { values[field].map(MicroUSD.init) }
        self.init(
            input: amount(1) ?? .zero, output: amount(2) ?? .zero, cachedInput: amount(3) ?? .zero,
            details: Details(
                cacheWrite: amount(4), cacheWriteHour: amount(5), audioInput: amount(6), audioOutput: amount(7),
                reasoning: amount(8)))
    }
}

/// The fields 1 to 8 of a message that has no others.
private struct EightNumbers {
    private var values = [UInt64?](repeating: nil, count: 8)

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        while let field = try reader.next() {
            if (1...8).contains(field) { values[Int(field) - 1] = try reader.unsigned() } else { try reader.skip() }
        }
    }

    /// The value of a field; `nil` when the message leaves it out.
    subscript(_ field: Int) -> UInt64? { values[field - 1] }
}
