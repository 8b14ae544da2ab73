package import Domain
import EventStore

/// The memory as bytes: a protobuf message whose fields are numbered here and nowhere else, because a snapshot is read
/// by the version that wrote it, or thrown away.
extension WriterMemory {
    /// Counted up whenever these bytes, or what an event does to the memory, mean something else: older snapshots are
    /// not looked at then.
    private static let snapshotVersion: UInt64 = 13

    package var snapshot: [UInt8] { snapshot(keyring: nil) }

    /// The memory as bytes, with the state of the keyring that has every key which the log needs up to here.
    func snapshot(keyring: KeyringMark?) -> [UInt8] {
        var writer = WireWriter(capacity: 1024 + 256 * (state.runs.count + idempotency.count))
        writer.add(1, Self.snapshotVersion)
        writer.add(2, position.value)
        writer.add(3, lastEventID)
        writer.add(4, time)
        for run in state.runs.values { writer.add(5) { run.write(to: &$0) } }
        for request in state.accessRequests.values { writer.add(6) { request.write(to: &$0) } }
        for (key, resource) in state.resources { writer.add(7) { resource.write(to: &$0, key) } }
        for (id, key) in state.apiKeys { writer.add(8) { key.write(to: &$0, id) } }
        for use in idempotency.uses { writer.add(9) { use.entry.write(to: &$0, use.key) } }
        if let latest = idempotency.latest { writer.add(10) { latest.write(to: &$0) } }
        for (owner, secrets) in state.secrets {
            for (name, secret) in secrets { writer.add(11) { secret.write(to: &$0, owner, name) } }
        }
        for delivery in state.deliveries.all { writer.add(20) { delivery.write(to: &$0) } }
        for build in state.builds.values { writer.add(12) { build.write(to: &$0) } }
        for erasure in state.erasures.values { writer.add(13) { erasure.write(to: &$0) } }
        if let keyring { writer.add(14) { keyring.write(to: &$0) } }
        for control in state.controls.values { writer.add(15) { control.write(to: &$0) } }
        return writer.bytes
    }

    /// Reads a snapshot; `nil` when this version did not write it.
    package init?(snapshot: [UInt8], limits: Limits) {
        guard let (memory, _) = Self.read(snapshot: snapshot, limits: limits) else { return nil }
        self = memory
    }

    /// Reads a snapshot, and the state that the keyring had; `nil` when this version did not write it.
    static func read(snapshot: [UInt8], limits: Limits) -> (memory: WriterMemory, keyring: KeyringMark?)? {
        (try? WireReader.reading(snapshot) { (reader) throws(MalformedRecord) in try memory(reader, limits) }) ?? nil
    }

    private static func memory(
        _ reader: consuming WireReader, _ limits: Limits
    ) throws(MalformedRecord) -> (memory: WriterMemory, keyring: KeyringMark?)? {
        var (position, lastEventID, time) = (Position.zero, EventID?.none, Timestamp(microseconds: 0))
        var (runs, requests): ([RunState], [AccessRequestState]) = ([], [])
        var resources: [(key: ResourceKey, state: ResourceState)] = []
        var keys: [(id: APIKeyID, state: APIKeyState)] = []
        var uses: [(key: IdempotencyIndex.Key, entry: IdempotencyIndex.Entry)] = []
        var latest: IdempotencyIndex.Key?
        var secrets: [(reference: SecretReference, state: SecretState)] = []
        var deliveries: [DeliveryState] = []
        var builds: [BuildState] = []
        var erasures: [ErasureState] = []
        var keyring: KeyringMark?
        var controls: [ControlState] = []
        guard try reader.next() == 1, try reader.unsigned() == snapshotVersion else { return nil }
        while let field = try reader.next() {
            switch field {
            case 2: position = Position(try reader.unsigned())
            case 3: lastEventID = try reader.id("last event")
            case 4: time = try reader.time()
            case 5: runs.append(try RunState(try reader.message()))
            case 6: requests.append(try AccessRequestState(try reader.message()))
            case 7: resources.append(try ResourceState.read(try reader.message()))
            case 8: keys.append(try APIKeyState.read(try reader.message()))
            case 9: uses.append(try IdempotencyIndex.Entry.read(try reader.message()))
            case 10: latest = try IdempotencyIndex.Key(try reader.message())
            case 11: secrets.append(try SecretState.read(try reader.message()))
            case 20: deliveries.append(try DeliveryState(try reader.message()))
            case 12: builds.append(try BuildState(try reader.message()))
            case 13: erasures.append(try ErasureState(try reader.message()))
            case 14: keyring = try KeyringMark(try reader.message())
            case 15: controls.append(try ControlState(try reader.message()))
            default: return nil
            }
        }
        guard let book = DeliveryBook(deliveries) else { return nil }
        let state = ActiveState(
            runs: runs, accessRequests: requests, resources: resources, apiKeys: keys, secrets: secrets,
            deliveries: book, builds: builds, erasures: erasures, controls: controls)
        let idempotency = IdempotencyIndex(limits: limits, uses: uses, latest: latest)
        guard let state, let idempotency else { return nil }
        let memory = WriterMemory(
            state: state, idempotency: idempotency, position: position, time: time, lastEventID: lastEventID)
        return (memory, keyring)
    }
}
