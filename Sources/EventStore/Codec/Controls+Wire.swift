package import Domain

extension ControlStopped {
    func write(to writer: inout WireWriter) {
        writer.add(1, kind)
        writer.add(2, name)
        writer.add(3, optional: reason)
        writer.add(4, holdsRuns)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (kind, name, reason, holdsRuns): (ControlKind?, String, String?, Bool) = (nil, "", nil, false)
        while let field = try reader.next() {
            switch field {
            case 1: kind = try reader.choice("control_stopped.kind")
            case 2: name = try reader.text()
            case 3: reason = try reader.text()
            case 4: holdsRuns = try reader.bool()
            default: try reader.skip()
            }
        }
        self.init(
            kind: try required(kind, "control_stopped.kind"), name: name, reason: reason, holdsRuns: holdsRuns)
    }
}

extension ControlStarted {
    func write(to writer: inout WireWriter) {
        writer.add(1, kind)
        writer.add(2, name)
        writer.add(3, optional: reason)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (kind, name, reason): (ControlKind?, String, String?) = (nil, "", nil)
        while let field = try reader.next() {
            switch field {
            case 1: kind = try reader.choice("control_started.kind")
            case 2: name = try reader.text()
            case 3: reason = try reader.text()
            default: try reader.skip()
            }
        }
        self.init(kind: try required(kind, "control_started.kind"), name: name, reason: reason)
    }
}

extension ControlKind: WireChoice {
    package var wireNumber: UInt64 {
        switch self {
        case .agent: 1
        case .tool: 2
        case .workspace: 3
        }
    }
}
