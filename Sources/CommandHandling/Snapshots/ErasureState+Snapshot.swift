import Domain
import EventStore

/// Without the name: what a snapshot says would outlive the person's key.
extension ErasureState {
    func write(to writer: inout WireWriter) {
        writer.add(1, id)
        writer.add(2, workspace.text)
        writer.add(3, streamSequence)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (id, workspace): (PersonID?, WorkspaceName?)
        var streamSequence: UInt64 = 0
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.id("erasure")
            case 2: workspace = WorkspaceName(try reader.text())
            case 3: streamSequence = try reader.unsigned()
            default: throw .missing("erasure")
            }
        }
        self.init(
            id: try required(id, "erasure"), workspace: try required(workspace, "workspace"),
            streamSequence: streamSequence)
    }
}
