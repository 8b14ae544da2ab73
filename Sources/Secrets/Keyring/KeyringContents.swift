import Domain

/// The keys of a keyring, put together of its two files at a start, and what has to be written to make both whole again.
struct KeyringContents {
    /// The facts of the next version; `check` is empty when no header was readable.
    var header: KeyringHeader
    private(set) var keys = KeyTable()
    private(set) var free: [Int] = []
    /// Keys that are in neither file; `nil` when all are there.
    private(set) var loss: KeyringLoss?
    /// The files that are not as they should be, and why.
    private(set) var problems: [KeyringPlace: String] = [:]
    private(set) var isIDWrong = false
    /// The file that holds these keys and is whole; `nil` when neither is.
    private(set) var whole: KeyringPlace?
    /// True when the keyring was written by a version that kept it once.
    private(set) var isFirstFormat = false
    /// Slots of such a keyring that held nothing whole.
    private(set) var discardedCount = 0
    /// True when an earlier version has written the keyring.
    var isEarlierFormat: Bool { isFirstFormat || header.version < KeyringFormat.version }

    /// The keyring of a first start.
    init(check: [UInt8]) { self.init(KeyringHeader(check: check, keyringID: .random(), generation: 1)) }

    private init(_ header: KeyringHeader) { self.header = header }

    /// Reads both files and decides what is right; nothing is written.
    ///
    /// - Parameter masters: master keys that may be the right one. A file that none of them opens is another keyring's,
    ///   when one of them opens the other file.
    /// - Returns: `nil` when there is neither file.
    init?(_ files: KeyringFiles, masters: [MasterKey] = [], isWritable: Bool) throws(SecretsError) {
        var scans: [KeyringPlace: KeyringScan] = [:]
        for place in KeyringPlace.allCases { scans[place] = try files.scan(place, isWritable: isWritable) }
        guard !scans.isEmpty else { return nil }
        if scans[.second] == nil, let first = scans[.first], case .first(let check) = first.header {
            self.init(upgrading: first, check)
            return
        }
        let keptID = try files.id()
        let opened = scans.filter { $0.value.isProven(by: masters) }
        let foreign = opened.isEmpty ? [] : scans.filter { $0.value.check != nil && opened[$0.key] == nil }.map(\.key)
        let id =
            foreign.isEmpty
            ? try Self.id(of: scans, keptID, files) : opened.values.lazy.compactMap(\.facts).first?.keyringID
        self.init(KeyringHeader(check: [], keyringID: id ?? .random(), generation: 0))
        isIDWrong = keptID != id
        for place in KeyringPlace.allCases {
            guard let scan = scans[place] else {
                problems[place] = "it is missing"
                continue
            }
            if foreign.contains(place) || (scan.facts.map { $0.keyringID != id } ?? false) {
                problems[place] = "it belongs to another keyring"
                scans[place] = nil
            } else {
                problems[place] = scan.problem
            }
        }
        choose(scans)
    }

    /// Format 1 has no count: a slot that is not whole there was half written, as far as the keyring itself can tell.
    private init(upgrading scan: KeyringScan, _ check: [UInt8]) {
        self.init(KeyringHeader(check: check, keyringID: .random(), generation: 1))
        isFirstFormat = true
        isIDWrong = true
        problems = [.first: scan.problem ?? "", .second: "it is missing"]
        take(scan)
    }

    /// The id that two of three files agree on, or the only one there is.
    private static func id(
        of scans: [KeyringPlace: KeyringScan], _ kept: UUIDValue?, _ files: KeyringFiles
    ) throws(SecretsError) -> UUIDValue? {
        let ids = [scans[.first]?.facts?.keyringID, scans[.second]?.facts?.keyringID, kept].compactMap(\.self)
        guard Set(ids).count > 1 else { return ids.first }
        if let agreed = ids.first(where: { id in ids.count { $0 == id } > 1 }) { return agreed }
        throw SecretsError(
            .keyringUnusable,
            "\(files.first), \(files.second) and \(files.idPath) are of different keyrings: remove those that belong to "
                + "another data directory, or restore \(files.first) from a backup and remove the two others")
    }

    private mutating func choose(_ scans: [KeyringPlace: KeyringScan]) {
        let newest = scans.values.compactMap(\.facts).max { $0.generation < $1.generation }
        let whole = KeyringPlace.allCases.filter { scans[$0] != nil && problems[$0] == nil }
            .max { (scans[$0]?.facts?.generation ?? 0) < (scans[$1]?.facts?.generation ?? 0) }
        // A change is written to one file after the other: a whole file lacks one change at most, which was not
        // acknowledged. One that lacks more is an old copy.
        if let whole, let scan = scans[whole], let facts = scan.facts, let newest,
            facts.generation + 1 >= newest.generation
        {
            header = facts
            self.whole = whole
            take(scan)
            let other: KeyringPlace = whole == .first ? .second : .first
            if problems[other] == nil, scans[other]?.facts != facts { problems[other] = "it lacks the last change" }
            return
        }
        join(scans, newest)
        for place in KeyringPlace.allCases where problems[place] == nil { problems[place] = "it is an old copy" }
    }

    /// Takes every whole key that is in either file.
    private mutating func join(_ scans: [KeyringPlace: KeyringScan], _ newest: KeyringHeader?) {
        var found: [KeyName: KeyEntry] = [:]
        for scan in scans.values.sorted(by: { $0.facts?.generation ?? 0 < $1.facts?.generation ?? 0 }) {
            scan.keys.forEach { name, _, entry in found[name] = entry }
        }
        let headers = scans.values.compactMap(\.facts)
        let check = newest?.check ?? scans.values.lazy.compactMap(\.check).first ?? []
        header = KeyringHeader(
            check: check, keyringID: header.keyringID, generation: newest?.generation ?? 0,
            lossGeneration: newest?.lossGeneration ?? 0, payloadsBefore: newest?.payloadsBefore ?? .none)
        layOut(found)
        // The version before the newest one may be what was recorded last: the newest is then in one file alone.
        let isComplete = headers.contains { facts in
            facts.digest == header.digest && facts.keyCount == keys.count
                && facts.generation + 1 >= newest?.generation ?? 0
        }
        guard !isComplete else { return header.generation += 1 }
        let damaged = scans.values.map(\.damagedCount).min() ?? 0
        loss = KeyringLoss(
            found: keys.count, lost: newest.map { max($0.keyCount - keys.count, 1) } ?? damaged,
            isExact: newest.map { $0.keyCount > keys.count } ?? false)
        header.generation += 1
        header.lossGeneration = header.generation
    }

    private mutating func take(_ scan: KeyringScan) {
        (keys, free) = (scan.keys, scan.free)
        guard whole == nil else { return }
        header.keyCount = keys.count
        header.slotCount = scan.slotCount
        header.digest = scan.digest
        // A slot that holds nothing whole is overwritten with the rest.
        var used: Set<Int> = []
        keys.forEach { _, slot, _ in used.insert(slot) }
        free = (1..<max(scan.slotCount, 1)).filter { !used.contains($0) }
        discardedCount = scan.damagedCount
    }

    /// Takes these keys alone, one after another.
    private mutating func layOut(_ new: [KeyName: KeyEntry]) {
        (keys, free) = (KeyTable(), [])
        header.digest = SlotSetDigest()
        for (index, (name, entry)) in new.enumerated() {
            keys.insert(name, entry, at: index + 1)
            header.digest.insert(KeyringFormat.hash(ofSlot: KeyringFormat.slot(name.id, entry)))
        }
        header.keyCount = keys.count
        header.slotCount = keys.count + 1
    }

    /// Changes keys where they are, or leaves them out.
    mutating func map(_ change: (KeyName, KeyEntry) throws(SecretsError) -> KeyEntry?) throws(SecretsError) {
        var changed: [KeyName: KeyEntry] = [:]
        changed.reserveCapacity(keys.count)
        try keys.forEach { (name, _, entry) throws(SecretsError) in changed[name] = try change(name, entry) }
        layOut(changed)
    }

    /// True when the master key is the one that the keys are wrapped under.
    func isProven(by master: MasterKey) -> Bool {
        guard header.check.isEmpty else { return master.opens(header.check, of: KeyringFormat.checkID) }
        return keys.any.map { master.opens($0.entry.wrapped, of: $0.name.id) } ?? true
    }
}

/// Keys that are in no file of a keyring any more.
package struct KeyringLoss: Hashable, Sendable {
    package let found: Int
    package let lost: Int
    /// True when the header says how many there were; otherwise at least `lost` are lost.
    package let isExact: Bool
}

extension UUIDValue {
    /// 122 bits would do: nothing is kept secret by it.
    fileprivate static func random() -> UUIDValue {
        UUIDValue(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))
    }
}
