import Domain
import EventStore

extension ControlState {
    func write(to writer: inout WireWriter) {
        writer.add(1, id)
        writer.add(2, key.workspace.text)
        writer.add(3, key.kind)
        writer.add(4, key.name)
        writer.add(5, streamSequence)
        writer.add(6, holdsRuns)
        writer.add(7, optional: reason)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (id, workspace, kind, name): (ControlID?, WorkspaceName?, ControlKind?, String) = (nil, nil, nil, "")
        var (streamSequence, holdsRuns, reason): (UInt64, Bool, String?) = (0, false, nil)
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.id("control")
            case 2: workspace = WorkspaceName(try reader.text())
            case 3: kind = try reader.choice("kind")
            case 4: name = try reader.text()
            case 5: streamSequence = try reader.unsigned()
            case 6: holdsRuns = try reader.bool()
            case 7: reason = try reader.text()
            default: throw .missing("control")
            }
        }
        let key = ControlKey(
            workspace: try required(workspace, "workspace"), kind: try required(kind, "kind"), name: name)
        self.init(
            id: try required(id, "control"), key: key, streamSequence: streamSequence, holdsRuns: holdsRuns,
            reason: reason)
    }
}
