package import Domain

extension InvokeRequested {
    func write(to writer: inout WireWriter) {
        writer.add(1, purpose.resumedActionID)
        writer.add(2, attempt)
        writer.add(3, requestID)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (resumed, attempt, requestID): (ActionID?, UInt32, String) = (nil, 0, "")
        while let field = try reader.next() {
            switch field {
            case 1: resumed = try reader.id("resumed_action_id")
            case 2: attempt = try reader.unsigned32()
            case 3: requestID = try reader.text()
            default: try reader.skip()
            }
        }
        self.init(purpose: InvokePurpose(resumed), attempt: attempt, requestID: requestID)
    }
}

extension InvokeCompleted {
    func write(to writer: inout WireWriter) {
        writer.add(1, purpose.resumedActionID)
        writer.add(2, attempt)
        writer.add(3, statusCode)
        writer.add(4, optional: response?.text)
        writer.add(5, outcome)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (resumed, attempt, statusCode): (ActionID?, UInt32, UInt32) = (nil, 0, 0)
        var (response, outcome): (JSONText?, InvokeOutcome?)
        while let field = try reader.next() {
            switch field {
            case 1: resumed = try reader.id("resumed_action_id")
            case 2: attempt = try reader.unsigned32()
            case 3: statusCode = try reader.unsigned32()
            case 4: response = try reader.json()
            case 5: outcome = try reader.choice("outcome")
            default: try reader.skip()
            }
        }
        self.init(
            purpose: InvokePurpose(resumed), attempt: attempt, statusCode: statusCode, response: response,
            outcome: try required(outcome, "outcome"))
    }
}

extension InvokeFailed {
    func write(to writer: inout WireWriter) {
        writer.add(1, purpose.resumedActionID)
        writer.add(2, attempt)
        writer.add(3, optional: statusCode.map(UInt64.init))
        writer.add(4, error)
        writer.add(5, isRetryable)
        writer.add(6, isStopped)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (resumed, attempt, statusCode): (ActionID?, UInt32, UInt32?) = (nil, 0, nil)
        var (error, isRetryable, isStopped) = ("", false, false)
        while let field = try reader.next() {
            switch field {
            case 1: resumed = try reader.id("resumed_action_id")
            case 2: attempt = try reader.unsigned32()
            case 3: statusCode = try reader.unsigned32()
            case 4: error = try reader.text()
            case 5: isRetryable = try reader.bool()
            case 6: isStopped = try reader.bool()
            default: try reader.skip()
            }
        }
        self.init(
            purpose: InvokePurpose(resumed), attempt: attempt, statusCode: statusCode, error: error,
            isRetryable: isRetryable, isStopped: isStopped)
    }
}

extension InvokePurpose {
    fileprivate init(_ resumedActionID: ActionID?) { self = resumedActionID.map { .resume($0) } ?? .start }

    fileprivate var resumedActionID: ActionID? { if case .resume(let id) = self { id } else { nil } }
}

extension InvokeOutcome: WireChoice {
    package var wireNumber: UInt64 {
        switch self {
        case .finished: 1
        case .awaitingApproval: 2
        case .awaitingConsent: 3
        }
    }
}
