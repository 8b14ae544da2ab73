/// What is in a keyring's file, read at a start.
struct KeyringContents {
    let file: ProtectedFile
    /// The header's key, which proves the master key.
    let check: [UInt8]
    private(set) var keys: [String: [UInt8]] = [:]
    private(set) var slots: [String: Int] = [:]
    private(set) var free: [Int] = []
    let slotCount: Int
    /// Slots that were half written, and have been erased.
    private(set) var erasedCount = 0

    /// `nil` when there is no such file.
    ///
    /// - Parameter heals: whether half written slots are erased.
    init?(path: String, heals: Bool = true) throws(SecretsError) {
        guard let file = try ProtectedFile.open(path, isWritable: heals) else { return nil }
        let size = KeyringFormat.slotBytes
        let bytes = try file.read(bytesMax: (Keyring.keysMax + 2) * size)
        guard bytes.count >= size, let check = KeyringFormat.check(ofHeader: Array(bytes[..<size])) else {
            throw SecretsError(
                .keyringUnusable, "\(path) is no keyring, or damaged: restore it together with the master key")
        }
        self.file = file
        self.check = check
        // A file that was being extended may end within a slot: that one was never used.
        slotCount = (bytes.count + size - 1) / size
        for place in 1..<max(slotCount, 1) {
            let slot = bytes[place * size..<min((place + 1) * size, bytes.count)]
            switch KeyringFormat.slot(Array(slot)) {
            case .key(let id, let wrapped) where slots[id] == nil:
                keys[id] = wrapped
                slots[id] = place
            case .free: free.append(place)
            case .key, .damaged:
                guard heals else { continue }
                try file.write([UInt8](repeating: 0, count: size), at: place * size)
                free.append(place)
                erasedCount += 1
            }
        }
        if erasedCount > 0 { try file.sync() }
    }
}
