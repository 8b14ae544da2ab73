import Domain
import EventStore

extension BuildState {
    func write(to writer: inout WireWriter) {
        writer.add(1, id)
        writer.add(2, workspace.text)
        writer.add(3, attempts)
        writer.add(4, streamSequence)
        if case .apiKey(let key) = requester { writer.add(5, key) }
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (id, workspace): (BuildID?, WorkspaceName?)
        var requester: Actor.Kind?
        var (attempts, streamSequence): (UInt32, UInt64) = (0, 0)
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.id("build")
            case 2: workspace = WorkspaceName(try reader.text())
            case 3: attempts = try reader.unsigned32()
            case 4: streamSequence = try reader.unsigned()
            case 5: requester = .apiKey(try reader.id("requester"))
            default: throw .missing("build")
            }
        }
        self.init(
            id: try required(id, "build"), workspace: try required(workspace, "workspace"), requester: requester,
            attempts: attempts,
            streamSequence: streamSequence)
    }
}
