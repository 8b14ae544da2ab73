import Domain
import Synchronization

/// Writes the keyring's slots, one change at a time; every change is durable in both files when the call returns.
///
/// The first file has it on the disk before the second one is written, so that one of them is whole at any time.
actor KeyringFile {
    private enum State {
        case open([any KeyFile])
        /// A write or a sync failed: what is on the disk is not known until the next start reads it.
        case failed(SecretsError)
    }

    private let executor = BlockingExecutor(label: "sluice.keyring")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private var state: State
    private var header: KeyringHeader
    private var free: [Int]
    private let index: KeyIndex
    private let durable: Mutex<KeyringHeader>

    /// The newest state that is durable in both files.
    nonisolated var mark: KeyringMark { durable.withLock { $0.mark } }

    /// The first day whose keys of payloads were not destroyed because of their age.
    nonisolated var payloadsBefore: PayloadDay { durable.withLock { $0.payloadsBefore } }

    /// The bytes of each file.
    nonisolated var byteCount: Int { durable.withLock { $0.slotCount } * KeyringFormat.slotBytes }

    /// - Parameters:
    ///   - files: both files, the first one first.
    ///   - index: receives every key that is durable, and loses every one that is destroyed.
    init(_ contents: KeyringContents, _ files: [any KeyFile], index: KeyIndex) {
        state = .open(files)
        header = contents.header
        free = contents.free
        self.index = index
        durable = Mutex(contents.header)
    }

    /// Keeps keys, all durable when this returns; one that is there already stays as it is.
    func insert(_ keys: [NewKey]) throws(SecretsError) {
        let new = keys.filter { !index.contains($0.id) }
        guard !new.isEmpty else { return }
        var change = KeyringChange(header)
        // An erased slot is used again before the file grows.
        let reused = free.suffix(new.count).reversed()
        let places = Array(reused) + Array(header.slotCount..<header.slotCount + new.count - reused.count)
        for (key, place) in zip(new, places) { change.insert(key, at: place) }
        try commit(change)
        free.removeLast(reused.count)
        index.insert(Array(zip(new, places)))
    }

    /// Destroys keys: zeros are in their places in both files, on the disk, when this returns. What is not there is no
    /// error.
    ///
    /// - Parameter day: keys of payloads of earlier days are among them, and a missing one is no loss from now on.
    func destroy(
        _ ids: some Collection<String> & Sendable, payloadsBefore day: PayloadDay = .none
    ) throws(SecretsError) {
        guard !ids.isEmpty || day > header.payloadsBefore else { return }
        // A key that is not in the index any more may be on the disk still.
        if case .failed(let error) = state { throw error }
        let known = Set(ids).filter { index.contains($0) }
        guard !known.isEmpty || day > header.payloadsBefore else { return }
        var change = KeyringChange(header, payloadsBefore: day)
        for id in known {
            guard let place = index.slot(of: id), let entry = index[id] else { continue }
            change.remove(id, entry, at: place)
        }
        // Nothing is opened with them from now on, whatever the disk says.
        let places = index.remove(known)
        try commit(change)
        free += places
    }

    private func commit(_ change: KeyringChange) throws(SecretsError) {
        let files: [any KeyFile]
        switch state {
        case .open(let open): files = open
        case .failed(let error): throw error
        }
        for (place, file) in files.enumerated() {
            do throws(SecretsError) {
                try change.write(to: file)
            } catch {
                try undo(change, in: files[...place], after: error)
                throw error
            }
            do throws(SecretsError) { try file.sync() } catch { throw fail(error) }
        }
        header = change.header
        durable.withLock { $0 = header }
    }

    /// After a failed write, on a full disk say, neither file keeps anything of new keys. Destroyed ones do not come back.
    private func undo(
        _ change: KeyringChange, in files: ArraySlice<any KeyFile>, after error: SecretsError
    ) throws(SecretsError) {
        guard change.isUndoable else { throw fail(error) }
        for file in files.reversed() {
            do throws(SecretsError) { try change.undo(in: file, to: header) } catch { throw fail(error) }
        }
    }

    /// A failed sync leaves the slots in an unknown state: no further one is believed, and a start looks again.
    private func fail(_ error: SecretsError) -> SecretsError {
        state = .failed(SecretsError(.keyringUnusable, "the keyring cannot be written: \(error); then restart sluice"))
        return error
    }
}

/// A change of some slots, and the header that goes with it.
private struct KeyringChange {
    private(set) var header: KeyringHeader
    private var slots: [(place: Int, bytes: [UInt8])] = []
    /// True when it only adds keys.
    private(set) var isUndoable = true

    init(_ header: KeyringHeader, payloadsBefore day: PayloadDay = .none) {
        self.header = header
        self.header.generation += 1
        self.header.payloadsBefore = max(header.payloadsBefore, day)
    }

    mutating func insert(_ key: NewKey, at place: Int) {
        let bytes = KeyringFormat.slot(key.id, key.entry)
        slots.append((place, bytes))
        header.keyCount += 1
        header.slotCount = max(header.slotCount, place + 1)
        header.digest.insert(KeyringFormat.hash(ofSlot: bytes))
    }

    mutating func remove(_ id: String, _ entry: KeyEntry, at place: Int) {
        slots.append((place, [UInt8](repeating: 0, count: KeyringFormat.slotBytes)))
        header.keyCount -= 1
        header.digest.remove(KeyringFormat.hash(ofSlot: KeyringFormat.slot(id, entry)))
        isUndoable = false
    }

    func write(to file: any KeyFile) throws(SecretsError) {
        for slot in slots { try file.write(slot.bytes, at: slot.place * KeyringFormat.slotBytes) }
        try file.write(KeyringFormat.header(header), at: 0)
    }

    /// Makes the file what it was before, durably.
    func undo(in file: any KeyFile, to old: KeyringHeader) throws(SecretsError) {
        let (size, end) = (KeyringFormat.slotBytes, try file.size())
        for slot in slots where slot.place * size < end {
            try file.write([UInt8](repeating: 0, count: min(size, end - slot.place * size)), at: slot.place * size)
        }
        try file.truncate(to: old.slotCount * size)
        try file.write(KeyringFormat.header(old), at: 0)
        try file.sync()
    }
}
