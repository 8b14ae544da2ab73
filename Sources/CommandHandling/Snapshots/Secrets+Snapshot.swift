import Domain
import EventStore

extension SecretState {
    func write(to writer: inout WireWriter, _ owner: ResourceKey, _ name: String) {
        writer.add(1, owner.workspace.text)
        writer.add(2, owner.kind)
        writer.add(3, owner.name)
        writer.add(4, name)
        writer.add(5, id)
        writer.add(6, keyID)
        writer.add(7, streamSequence)
    }

    static func read(
        _ reader: consuming WireReader
    ) throws(MalformedRecord) -> (reference: SecretReference, state: SecretState) {
        var (workspace, kind, owner, name): (WorkspaceName?, ResourceKind?, String, String) = (nil, nil, "", "")
        var (id, keyID, streamSequence): (SecretID?, DataKeyID?, UInt64) = (nil, nil, 0)
        while let field = try reader.next() {
            switch field {
            case 1: workspace = WorkspaceName(try reader.text())
            case 2: kind = try reader.choice("kind")
            case 3: owner = try reader.text()
            case 4: name = try reader.text()
            case 5: id = try reader.id("secret")
            case 6: keyID = try reader.id("key")
            case 7: streamSequence = try reader.unsigned()
            default: throw .missing("secret")
            }
        }
        let key = ResourceKey(
            workspace: try required(workspace, "workspace"), kind: try required(kind, "kind"), name: owner)
        let state = SecretState(
            id: try required(id, "secret"), keyID: try required(keyID, "key"), streamSequence: streamSequence)
        return (SecretReference(owner: key, name: name), state)
    }
}
