package import EventLog
import Synchronization
import TestSupport

/// A disk of one directory that loses, tears and refuses as real ones may, all from one seed.
///
/// A write is visible at once and durable after a sync. A power cut keeps an unsynced write whole, in part, with a hole,
/// or not at all, each for itself, and so may forget or keep each unsynced change of the directory. After a failed sync
/// the pages count as clean: they are visible still, and no later sync makes them durable.
package final class SimulatedDisk: LogStorage {
    /// What one of the next calls answers instead of success.
    package enum Fault: CaseIterable, Sendable {
        case noSpace, failedWrite, failedSync
        /// No file can be made.
        case noDescriptors
    }

    struct File {
        var visible: [UInt8] = []
        /// What a sync would make durable.
        var syncable: [UInt8] = []
        var durable: [UInt8] = []
        var unsynced: [Change] = []

        mutating func apply(_ change: Change) {
            change.apply(to: &visible)
            change.apply(to: &syncable)
            unsynced.append(change)
        }

        mutating func sync(isFailed: Bool) {
            if isFailed {
                syncable = durable
            } else {
                durable = syncable
                unsynced = []
            }
        }
    }

    enum Change {
        case write([UInt8], offset: Int)
        case truncate(Int)

        func apply(to bytes: inout [UInt8]) {
            switch self {
            case .truncate(let size): bytes = Array(bytes.prefix(size)) + zeros(size - bytes.count)
            case .write(let written, let offset):
                bytes += zeros(offset + written.count - bytes.count)
                bytes.replaceSubrange(offset..<offset + written.count, with: written)
            }
        }

        private func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: max(0, count)) }
    }

    struct State {
        var random: SeededRandom
        var files: [Int: File] = [:]
        var names: [String: Int] = [:]
        var durableNames: [String: Int] = [:]
        var nextFile = 0
        /// Calls until the machine stops; `nil` when it does not.
        var callsLeft: Int?
        var fault: Fault?
        let bug: PlantedBug?
    }

    private let state: Mutex<State>

    package init(seed: UInt64, bug: PlantedBug?) { state = Mutex(State(random: SeededRandom(seed: seed), bug: bug)) }

    /// The machine stops at the call after so many more: it and all later ones fail.
    func stop(afterCalls calls: Int) { state.withLock { $0.callsLeft = calls } }

    var isDown: Bool { state.withLock { $0.callsLeft.map { $0 < 0 } ?? false } }

    /// One of the next calls that the fault is about answers with it.
    func inject(_ fault: Fault?) { state.withLock { $0.fault = fault } }

    /// The machine is on again; what was not durable may be gone when the power was cut.
    func start(afterPowerCut isPowerCut: Bool) {
        state.withLock { state in
            state.callsLeft = nil
            state.fault = nil
            if isPowerCut { state.cutPower() }
        }
    }

    // MARK: LogStorage

    package func names() throws(StorageError) -> [String] { try call { $0.names.keys.sorted() } }

    package func open(_ name: String, isWritable: Bool) throws(StorageError) -> any LogFile {
        guard let id = try call({ $0.names[name] }) else {
            throw StorageError(kind: .notFound, description: "open \(name): no such file")
        }
        return SimulatedFile(disk: self, id: id)
    }

    package func create(_ name: String) throws(StorageError) -> any LogFile {
        let (id, isRefused): (Int?, Bool) = try call { state in
            if state.fault == .noDescriptors {
                state.fault = nil
                return (nil, true)
            }
            guard state.names[name] == nil else { return (nil, false) }
            state.nextFile += 1
            state.files[state.nextFile] = File()
            state.names[name] = state.nextFile
            return (state.nextFile, false)
        }
        if isRefused { throw StorageError(kind: .noDescriptors, description: "create \(name): injected") }
        guard let id else { throw StorageError(kind: .other, description: "create \(name): exists") }
        return SimulatedFile(disk: self, id: id)
    }

    package func remove(_ name: String) throws(StorageError) {
        guard try call({ $0.names.removeValue(forKey: name) }) != nil else {
            throw StorageError(kind: .notFound, description: "remove \(name): no such file")
        }
    }

    package func rename(_ name: String, to target: String) throws(StorageError) {
        let isThere = try call { state in
            guard let id = state.names.removeValue(forKey: name) else { return false }
            state.names[target] = id
            return true
        }
        guard isThere else { throw StorageError(kind: .notFound, description: "rename \(name): no such file") }
    }

    package func syncDirectory() throws(StorageError) {
        try call { state in
            if state.bug != .forgottenDirectorySync { state.durableNames = state.names }
        }
    }

    /// Performs a call, unless the machine stops at it.
    fileprivate func call<Result: Sendable>(_ body: (inout State) -> Result) throws(StorageError) -> Result {
        let result: Result? = state.withLock { state in
            if let left = state.callsLeft {
                state.callsLeft = left - 1
                if left <= 0 {
                    state.callsLeft = -1
                    return nil
                }
            }
            return body(&state)
        }
        guard let result else { throw StorageError(kind: .other, description: "the machine is down") }
        return result
    }
}

/// Mistakes made on purpose, to see that the simulation finds them.
package enum PlantedBug: String, CaseIterable, Sendable {
    case skippedSync
    case acknowledgedBeforeSync
    case forgottenDirectorySync
    case tailCutOneByteShort
    case droppedChecksum
}

extension SimulatedDisk.State {
    fileprivate mutating func cutPower() {
        for (name, id) in names.sorted(by: { $0.key < $1.key }) where durableNames[name] != id && random.chance(50) {
            durableNames[name] = id
        }
        for name in durableNames.keys.sorted() where names[name] == nil && random.chance(50) {
            durableNames[name] = nil
        }
        names = durableNames
        let kept = Set(names.values)
        files = files.filter { kept.contains($0.key) }
        for id in files.keys.sorted() { files[id]?.cutPower(&random) }
    }
}

extension SimulatedDisk.File {
    fileprivate mutating func cutPower(_ random: inout SeededRandom) {
        var survived = durable
        for change in unsynced {
            switch change {
            case .truncate: if random.chance(50) { change.apply(to: &survived) }
            case .write(let bytes, let offset): survive(bytes, offset, &survived, &random)
            }
        }
        self = SimulatedDisk.File(visible: survived, syncable: survived, durable: survived)
    }

    /// Keeps a write whole, in part, with a hole in it, or not at all.
    private func survive(_ bytes: [UInt8], _ offset: Int, _ survived: inout [UInt8], _ random: inout SeededRandom) {
        guard !bytes.isEmpty else { return }
        let before = survived
        switch Int.random(in: 0..<4, using: &random) {
        case 0: break
        case 1: SimulatedDisk.Change.write(bytes, offset: offset).apply(to: &survived)
        case 2:
            let part = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)))
            SimulatedDisk.Change.write(part, offset: offset).apply(to: &survived)
        default:
            SimulatedDisk.Change.write(bytes, offset: offset).apply(to: &survived)
            let start = Int.random(in: 0..<bytes.count, using: &random)
            for index in start..<Int.random(in: start...bytes.count, using: &random) {
                survived[offset + index] = offset + index < before.count ? before[offset + index] : 0
            }
        }
    }
}

private struct SimulatedFile: LogFile {
    let disk: SimulatedDisk
    let id: Int

    func read(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        try disk.call { state in
            let rest = (state.files[id]?.visible ?? []).dropFirst(Int(offset))
            return Array((state.bug == .droppedChecksum ? withMatchingChecksum(Array(rest))[...] : rest).prefix(count))
        }
    }

    func write(_ bytes: [UInt8], at offset: UInt64) throws(StorageError) {
        let failure: StorageError.Kind? = try disk.call { state in
            guard let fault = state.fault, fault == .noSpace || fault == .failedWrite else {
                state.files[id]?.apply(.write(bytes, offset: Int(offset)))
                return nil
            }
            state.fault = nil
            let part = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &state.random)))
            state.files[id]?.apply(.write(part, offset: Int(offset)))
            return fault == .noSpace ? .noSpace : .other
        }
        if let failure { throw StorageError(kind: failure, description: "write: injected") }
    }

    func sync() throws(StorageError) {
        let isFailed = try disk.call { state in
            let isFailed = state.fault == .failedSync
            if isFailed { state.fault = nil }
            if isFailed || state.bug != .skippedSync { state.files[id]?.sync(isFailed: isFailed) }
            return isFailed
        }
        if isFailed { throw StorageError(kind: .other, description: "fdatasync: injected") }
    }

    func size() throws(StorageError) -> UInt64 { try disk.call { UInt64($0.files[id]?.visible.count ?? 0) } }

    func truncate(to size: UInt64) throws(StorageError) {
        try disk.call { state in
            let size = Int(size) + (state.bug == .tailCutOneByteShort ? 1 : 0)
            state.files[id]?.apply(.truncate(size))
        }
    }

    /// As if nobody looked at a frame's checksum: a frame that is read has the one that fits.
    private func withMatchingChecksum(_ bytes: [UInt8]) -> [UInt8] {
        guard let header = Frame.Header(bytes), header.byteCount <= bytes.count else { return bytes }
        var crc = CRC32C()
        bytes[..<(Frame.headerByteCount - 4)].withUnsafeBytes { crc.update($0) }
        bytes[Frame.headerByteCount..<header.byteCount].withUnsafeBytes { crc.update($0) }
        var forged = bytes
        withUnsafeBytes(of: crc.value.littleEndian) {
            forged.replaceSubrange(Frame.headerByteCount - 4..<Frame.headerByteCount, with: $0)
        }
        return forged
    }
}
