package import Domain

extension RunCreated {
    func write(to writer: inout WireWriter) {
        writer.add(1, agentID)
        writer.add(2, agentUID)
        writer.add(3, userID)
        writer.add(4, optional: conversationID)
        writer.add(6, optional: initialMessage)
        writer.add(7, deadline)
        writer.add(9, optional: input?.text)
        if let user { writer.add(10) { user.write(to: &$0) } }
        writer.add(11, optional: invokeURL)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (agentID, agentUID, userID): (String, ResourceID?, String) = ("", nil, "")
        var (conversationID, invokeURL, initialMessage): (String?, String?, String?)
        var (input, user): (JSONText?, Person?)
        var deadline = Timestamp(microseconds: 0)
        while let field = try reader.next() {
            switch field {
            case 1: agentID = try reader.text()
            case 2: agentUID = try reader.id("agent_uid")
            case 3: userID = try reader.text()
            case 4: conversationID = try reader.text()
            // Plain in records of older versions.
            case 5, 11: invokeURL = try reader.text()
            case 6: initialMessage = try reader.text()
            case 7: deadline = try reader.time()
            case 9: input = try reader.json()
            case 10: user = try Person(try reader.message())
            default: try reader.skip()
            }
        }
        self.init(
            agentID: agentID, agentUID: agentUID, userID: userID, conversationID: conversationID, invokeURL: invokeURL,
            initialMessage: initialMessage, input: input, deadline: deadline, user: user)
    }
}

extension RunEventAdded {
    func write(to writer: inout WireWriter) {
        writer.add(1, type)
        writer.add(2, optional: actor)
        writer.add(3, optional: payloadHash)
        writer.add(4, optional: data?.text)
        writer.add(5, optional: agentID)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (type, actor, payloadHash, data): (String, String?, String?, JSONText?) = ("", nil, nil, nil)
        var agentID: String?
        while let field = try reader.next() {
            switch field {
            case 1: type = try reader.text()
            case 2: actor = try reader.text()
            case 3: payloadHash = try reader.text()
            case 4: data = try reader.json()
            case 5: agentID = try reader.text()
            default: try reader.skip()
            }
        }
        self.init(type: type, actor: actor, payloadHash: payloadHash, data: data, agentID: agentID)
    }
}

extension RunStatusChanged {
    func write(to writer: inout WireWriter) {
        writer.add(1, status)
        writer.add(2, optional: reason)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (status, reason): (RunStatus?, String?)
        while let field = try reader.next() {
            switch field {
            case 1: status = try reader.choice("status")
            case 2: reason = try reader.text()
            default: try reader.skip()
            }
        }
        self.init(status: try required(status, "status"), reason: reason)
    }
}

extension RunStatus: WireChoice {
    package var wireNumber: UInt64 {
        switch self {
        case .running: 1
        case .pausedApproval: 2
        case .pausedConsent: 3
        case .completed: 4
        case .failed: 5
        }
    }
}

extension CheckpointSaved {
    func write(to writer: inout WireWriter) {
        writer.add(1, checkpointID)
        writer.add(2, actionID)
        writer.add(3, document.text)
        writer.add(4, restartsHandler)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (checkpointID, actionID, document): (CheckpointID?, String, JSONText) = (nil, "", JSONText(verified: ""))
        var restartsHandler = false
        while let field = try reader.next() {
            switch field {
            case 1: checkpointID = try reader.id("checkpoint_id")
            case 2: actionID = try reader.text()
            case 3: document = try reader.json()
            case 4: restartsHandler = try reader.bool()
            default: try reader.skip()
            }
        }
        self.init(
            checkpointID: try required(checkpointID, "checkpoint_id"), actionID: actionID, document: document,
            restartsHandler: restartsHandler)
    }
}

extension ToolResultRecorded {
    func write(to writer: inout WireWriter) {
        writer.add(1, optional: toolID)
        writer.add(2, document.text)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (toolID, document): (String?, JSONText) = (nil, JSONText(verified: ""))
        while let field = try reader.next() {
            switch field {
            case 1: toolID = try reader.text()
            case 2: document = try reader.json()
            default: try reader.skip()
            }
        }
        self.init(toolID: toolID, document: document)
    }
}
