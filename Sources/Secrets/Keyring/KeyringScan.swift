/// One of the keyring's two files, as it is found.
struct KeyringScan {
    private static let chunkSlots = 4096

    let file: any KeyFile
    let header: KeyringFormat.Header
    /// Slots of the file, the header included; the last one may be cut short.
    let slotCount: Int
    private let isCut: Bool
    private(set) var keys = KeyTable()
    private(set) var free: [Int] = []
    /// Slots that hold neither a whole key nor nothing, or a key that another one holds too.
    private(set) var damagedCount = 0
    private(set) var digest = SlotSetDigest()

    /// - Throws: `keyringUnusable` for a file of a later format: it is not taken for a damaged one.
    init(_ file: any KeyFile, path: String) throws(SecretsError) {
        let size = KeyringFormat.slotBytes
        let byteCount = try file.size()
        self.file = file
        slotCount = (byteCount + size - 1) / size
        isCut = byteCount % size != 0
        header = KeyringFormat.header(parsing: try file.read(at: 0, count: size))
        if case .later(let version) = header {
            throw SecretsError(
                .keyringUnusable, "\(path) has format \(version), which a later sluice has written: upgrade this one")
        }
        for first in stride(from: 1, to: slotCount, by: Self.chunkSlots) {
            let bytes = try file.read(at: first * size, count: Self.chunkSlots * size)
            for place in first..<min(first + Self.chunkSlots, slotCount) {
                let start = min((place - first) * size, bytes.count)
                take(KeyringFormat.slot(parsing: bytes[start..<min(start + size, bytes.count)]), place)
            }
        }
    }

    private mutating func take(_ slot: KeyringFormat.Slot, _ place: Int) {
        switch slot {
        case .key(let id, let entry, let hash):
            let name = KeyName(id)
            guard keys.slot(of: name) == nil else { return damagedCount += 1 }
            keys.insert(name, entry, at: place)
            digest.insert(hash)
        case .free: free.append(place)
        case .damaged: damagedCount += 1
        }
    }

    /// The header of a format that counts, when there is a whole one.
    var facts: KeyringHeader? { if case .counted(let header) = header { header } else { nil } }

    var check: [UInt8]? {
        switch header {
        case .first(let check): check
        case .counted(let header): header.check
        case .unreadable, .later: nil
        }
    }

    /// True when one of the master keys opens its check.
    func isProven(by masters: [MasterKey]) -> Bool {
        check.map { check in masters.contains { $0.opens(check, of: KeyringFormat.checkID) } } ?? false
    }

    /// The damage; `nil` when the file holds what its header says, and nothing else.
    var problem: String? {
        if slotCount == 0 { return "it is empty" }
        guard let facts else {
            return if case .first = header { "it has an older format" } else { "its header is damaged" }
        }
        if damagedCount > 0 { return "\(damagedCount) of its slots are damaged" }
        if isCut || slotCount < facts.slotCount { return "its end is missing" }
        if slotCount > facts.slotCount { return "it is longer than its header says" }
        return keys.count == facts.keyCount && digest == facts.digest ? nil : "its keys are not those of its header"
    }
}
