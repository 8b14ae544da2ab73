/// Writes the keyring's slots, one change at a time; every change is durable when the call returns.
actor KeyringFile {
    private enum State {
        case open(ProtectedFile)
        /// A sync failed: what is on the disk is not known until the next start reads it.
        case failed(SecretsError)
    }

    private let executor = BlockingExecutor(label: "sluice.keyring")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private var state: State
    private var slots: [String: Int]
    private var free: [Int]
    private var slotCount: Int
    private let index: KeyIndex
    private let keysMax: Int

    /// - Parameter index: is told of every key that is durable, and of every one that is gone.
    init(_ contents: KeyringContents, index: KeyIndex, keysMax: Int) {
        self.keysMax = keysMax
        state = .open(contents.file)
        slots = contents.slots
        free = contents.free
        slotCount = contents.slotCount
        self.index = index
    }

    /// Keeps keys, all durable when this returns; one that is there already stays as it is.
    func insert(_ keys: [(id: String, wrapped: [UInt8])]) throws(SecretsError) {
        let new = keys.filter { slots[$0.id] == nil }
        guard !new.isEmpty else { return }
        let file = try file()
        guard slots.count + new.count <= keysMax else {
            throw SecretsError(
                .keyringFull, "the keyring holds \(keysMax) keys: delete secrets or old payloads")
        }
        // An erased slot is used again before the file grows.
        var places: [Int] = []
        for offset in 0..<new.count { places.append(offset < free.count ? free[free.count - 1 - offset] : -1) }
        var next = slotCount
        for index in places.indices where places[index] < 0 {
            places[index] = next
            next += 1
        }
        // After a failed write, on a full disk say, the next keys go to the same places.
        for (key, place) in zip(new, places) {
            try file.write(KeyringFormat.slot(key.id, key.wrapped), at: place * KeyringFormat.slotBytes)
        }
        try sync(file)
        free.removeLast(min(free.count, new.count))
        slotCount = next
        for (key, place) in zip(new, places) { slots[key.id] = place }
        index.insert(new)
    }

    /// Destroys keys: zeros are in their places, on the disk, when this returns. What is not there is no error.
    func destroy(_ ids: some Collection<String> & Sendable) throws(SecretsError) {
        let known = Set(ids).filter { slots[$0] != nil }
        guard !known.isEmpty else { return }
        let file = try file()
        // Nobody opens anything with them from now on, whatever the disk says.
        index.remove(known)
        let zeros = [UInt8](repeating: 0, count: KeyringFormat.slotBytes)
        for place in known.compactMap({ slots[$0] }) {
            try file.write(zeros, at: place * KeyringFormat.slotBytes)
        }
        try sync(file)
        for id in known { if let place = slots.removeValue(forKey: id) { free.append(place) } }
    }

    private func file() throws(SecretsError) -> ProtectedFile {
        switch state {
        case .open(let file): return file
        case .failed(let error): throw error
        }
    }

    /// A failed sync leaves the slots in an unknown state: no further one is believed, and a start looks again.
    private func sync(_ file: ProtectedFile) throws(SecretsError) {
        do throws(SecretsError) {
            try file.sync()
        } catch {
            state = .failed(
                SecretsError(.keyringUnusable, "the keyring cannot be written: \(error); then restart sluice"))
            throw error
        }
    }
}
