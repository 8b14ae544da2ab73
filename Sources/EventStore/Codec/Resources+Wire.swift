package import Domain

extension ResourceStored {
    func write(to writer: inout WireWriter) {
        writer.add(1, kind)
        writer.add(2, name)
        writer.add(3, revision)
        writer.add(4, document.text)
        writer.add(5, optional: restoredRevision)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (kind, name, revision): (ResourceKind?, String, UInt64) = (nil, "", 0)
        var (document, restored): (JSONText, UInt64?) = (JSONText(verified: ""), nil)
        while let field = try reader.next() {
            switch field {
            case 1: kind = try reader.choice("kind")
            case 2: name = try reader.text()
            case 3: revision = try reader.unsigned()
            case 4: document = try reader.json()
            case 5: restored = try reader.unsigned()
            default: try reader.skip()
            }
        }
        self.init(
            kind: try required(kind, "kind"), name: name, revision: revision, document: document,
            restoredRevision: restored)
    }
}

extension ResourceDeleted {
    func write(to writer: inout WireWriter) {
        writer.add(1, kind)
        writer.add(2, name)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (kind, name): (ResourceKind?, String) = (nil, "")
        while let field = try reader.next() {
            switch field {
            case 1: kind = try reader.choice("kind")
            case 2: name = try reader.text()
            default: try reader.skip()
            }
        }
        self.init(kind: try required(kind, "kind"), name: name)
    }
}

extension ResourceStatusRecorded {
    func write(to writer: inout WireWriter) {
        writer.add(1, kind)
        writer.add(2, name)
        writer.add(3, phase)
        writer.add(4, optional: message)
        writer.add(5, latencyMilliseconds)
        writer.add(6, optional: revision)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (kind, name, phase): (ResourceKind?, String, String) = (nil, "", "")
        var (message, latency, revision): (String?, UInt64, UInt64?) = (nil, 0, nil)
        while let field = try reader.next() {
            switch field {
            case 1: kind = try reader.choice("kind")
            case 2: name = try reader.text()
            case 3: phase = try reader.text()
            case 4: message = try reader.text()
            case 5: latency = try reader.unsigned()
            case 6: revision = try reader.unsigned()
            default: try reader.skip()
            }
        }
        self.init(
            kind: try required(kind, "kind"), name: name, phase: phase, message: message, latencyMilliseconds: latency,
            revision: revision)
    }
}

extension ResourceKind: WireChoice {
    package var wireNumber: UInt64 {
        switch self {
        case .agent: 1
        case .tool: 2
        case .policy: 3
        case .modelProvider: 4
        case .identityProvider: 5
        case .deployDraft: 7
        case .settings: 8
        case .approvalConnector: 6
        case .modelAlias: 9
        }
    }
}
