package import Domain

extension DeliveryLabel {
    package func write(to writer: inout WireWriter) {
        writer.add(1, id)
        writer.add(2, connector)
        writer.add(3, connectorName)
        writer.add(4, subject.runID)
        writer.add(5, subject.actionID)
        writer.add(6, subject.requestID)
    }

    package init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (id, connector, connectorName): (DeliveryID?, String, String) = (nil, "", "")
        var (run, action, request): (RunID?, ActionID?, AccessRequestID?)
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.id("delivery_id")
            case 2: connector = try reader.text()
            case 3: connectorName = try reader.text()
            case 4: run = try reader.id("run_id")
            case 5: action = try reader.id("action_id")
            case 6: request = try reader.id("request_id")
            default: try reader.skip()
            }
        }
        let subject: DeliverySubject
        if let run {
            subject = .action(run, try required(action, "action_id"), request)
        } else {
            subject = .request(try required(request, "request_id"))
        }
        self.init(
            id: try required(id, "delivery_id"), connector: connector, connectorName: connectorName, subject: subject)
    }
}

extension DecisionLink {
    package func write(to writer: inout WireWriter) {
        writer.add(1, digest)
        writer.add(2, optional: payloadHash?.text)
        writer.add(3, expiresAt)
    }

    package init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (digest, hash): ([UInt8], PayloadHash?) = ([], nil)
        var expiresAt = Timestamp(microseconds: 0)
        while let field = try reader.next() {
            switch field {
            case 1: digest = try reader.byteArray()
            case 2: hash = PayloadHash(try reader.text())
            case 3: expiresAt = try reader.time()
            default: try reader.skip()
            }
        }
        self.init(digest: digest, payloadHash: hash, expiresAt: expiresAt)
    }
}

extension DeliveryStarted {
    func write(to writer: inout WireWriter) {
        writer.add(1) { label.write(to: &$0) }
        writer.add(2, purpose)
        writer.add(3, attempt)
        if let link { writer.add(4) { link.write(to: &$0) } }
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (label, purpose, attempt): (DeliveryLabel?, DeliveryPurpose?, UInt32) = (nil, nil, 0)
        var link: DecisionLink?
        while let field = try reader.next() {
            switch field {
            case 1: label = try DeliveryLabel(try reader.message())
            case 2: purpose = try reader.choice("purpose")
            case 3: attempt = try reader.unsigned32()
            case 4: link = try DecisionLink(try reader.message())
            default: try reader.skip()
            }
        }
        self.init(
            label: try required(label, "label"), purpose: try required(purpose, "purpose"), attempt: attempt,
            link: link)
    }
}

extension DeliveryEnded {
    func write(to writer: inout WireWriter) {
        writer.add(1) { label.write(to: &$0) }
        writer.add(2, purpose)
        writer.add(3, attempt)
        switch outcome {
        case .delivered(let statusCode, let reference):
            writer.add(4, true)
            writer.add(5, optional: UInt64(statusCode))
            writer.add(6, optional: reference)
        case .failed(let statusCode, let error, let retryAt):
            writer.add(5, optional: statusCode.map(UInt64.init))
            writer.add(7, error)
            writer.add(8, optional: retryAt)
        }
        writer.add(9, latency)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (label, purpose, attempt): (DeliveryLabel?, DeliveryPurpose?, UInt32) = (nil, nil, 0)
        var (isDelivered, statusCode): (Bool, UInt32?) = (false, nil)
        var (reference, error, retryAt): (String?, String, Timestamp?) = (nil, "", nil)
        var latency = Duration.zero
        while let field = try reader.next() {
            switch field {
            case 1: label = try DeliveryLabel(try reader.message())
            case 2: purpose = try reader.choice("purpose")
            case 3: attempt = try reader.unsigned32()
            case 4: isDelivered = try reader.bool()
            case 5: statusCode = try reader.unsigned32()
            case 6: reference = try reader.text()
            case 7: error = try reader.text()
            case 8: retryAt = try reader.time()
            case 9: latency = try reader.duration()
            default: try reader.skip()
            }
        }
        let outcome: Outcome =
            isDelivered
            ? .delivered(statusCode: statusCode ?? 0, reference: reference)
            : .failed(statusCode: statusCode, error: error, retryAt: retryAt)
        self.init(
            label: try required(label, "label"), purpose: try required(purpose, "purpose"), attempt: attempt,
            outcome: outcome, latency: latency)
    }
}

extension DecisionLinkUsed {
    func write(to writer: inout WireWriter) {
        writer.add(1) { label.write(to: &$0) }
        writer.add(2, approves)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (label, approves): (DeliveryLabel?, Bool) = (nil, false)
        while let field = try reader.next() {
            switch field {
            case 1: label = try DeliveryLabel(try reader.message())
            case 2: approves = try reader.bool()
            default: try reader.skip()
            }
        }
        self.init(label: try required(label, "label"), approves: approves)
    }
}

extension DeliveryPurpose: WireChoice {
    package var wireNumber: UInt64 {
        switch self {
        case .ask: 1
        case .followUp: 2
        }
    }
}
