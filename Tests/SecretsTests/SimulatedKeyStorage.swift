import Secrets
import Synchronization

/// Files of keys in memory, which end the process at any call and keep what a crash or a power cut would.
final class SimulatedKeyStorage: KeyStorage {
    /// The state of unsynced changes after the end of the process.
    enum Aftermath: CaseIterable {
        /// A process that was killed: everything written is there.
        case kept
        /// A power cut that takes everything that was not synced.
        case lost
        /// A power cut that takes some parts of it, smaller than a sector.
        case mixed
    }

    fileprivate struct Inode {
        var bytes: [UInt8] = []
        var durable: [UInt8] = []
    }

    fileprivate struct State {
        var inodes: [Inode] = []
        var names: [String: Int] = [:]
        var durableNames: [String: Int] = [:]
        /// Changes until the process ends; `nil` for a process that goes on.
        var left: Int?
        /// Bytes of the write that ends the process which are written all the same.
        var tornBytes: Int?
        var changes = 0
        var syncs = 0
        var bytesWritten = 0
    }

    fileprivate let state = Mutex(State())

    init() {}

    /// The calls that changed something so far.
    var changes: Int { state.withLock { $0.changes } }

    /// The syncs of files so far.
    var syncs: Int { state.withLock { $0.syncs } }

    /// The bytes that were written so far.
    var bytesWritten: Int { state.withLock { $0.bytesWritten } }

    /// Ends the process within the call after so many more changes.
    ///
    /// - Parameter tornBytes: as many bytes of it are written, if it writes; a third of them by default.
    func crash(after changes: Int, tornBytes: Int? = nil) {
        state.withLock { state in (state.left, state.tornBytes) = (changes, tornBytes) }
    }

    /// True when the process has ended.
    var isCrashed: Bool { state.withLock { $0.left == -1 } }

    /// The files as the next process finds them.
    func survivor(_ aftermath: Aftermath) -> SimulatedKeyStorage {
        let survivor = SimulatedKeyStorage()
        let old = state.withLock { state in (state.inodes, aftermath == .lost ? state.durableNames : state.names) }
        survivor.state.withLock { state in
            state.inodes = old.0.map { inode in
                let bytes = Self.bytes(inode, aftermath)
                return Inode(bytes: bytes, durable: bytes)
            }
            (state.names, state.durableNames) = (old.1, old.1)
        }
        return survivor
    }

    private static func bytes(_ inode: Inode, _ aftermath: Aftermath) -> [UInt8] {
        switch aftermath {
        case .kept: return inode.bytes
        case .lost: return inode.durable
        case .mixed:
            var mixed = inode.bytes
            for index in mixed.indices where index / 100 % 2 == 0 {
                mixed[index] = index < inode.durable.count ? inode.durable[index] : 0
            }
            return mixed
        }
    }

    subscript(path: String) -> [UInt8]? {
        get { state.withLock { state in state.names[path].map { state.inodes[$0].bytes } } }
        set {
            state.withLock { state in
                state.names[path] = nil
                if let newValue {
                    state.inodes.append(Inode(bytes: newValue, durable: newValue))
                    state.names[path] = state.inodes.count - 1
                }
                state.durableNames = state.names
            }
        }
    }

    /// True when the bytes are anywhere, in files that have no name any more too.
    func contains(_ bytes: [UInt8]) -> Bool {
        state.withLock { state in
            state.inodes.contains { inode in [inode.bytes, inode.durable].contains { $0.contains(bytes) } }
        }
    }

    func open(_ path: String, isWritable: Bool) throws(SecretsError) -> (any KeyFile)? {
        state.withLock { $0.names[path] }.map { SimulatedKeyFile(storage: self, inode: $0) }
    }

    func make(_ path: String) throws(SecretsError) -> any KeyFile {
        try change { state in
            state.inodes.append(Inode())
            state.names[path] = state.inodes.count - 1
        }
        guard let file = try open(path, isWritable: true) else { throw Self.ended }
        return file
    }

    func remove(_ path: String) throws(SecretsError) { try change { $0.names[path] = nil } }

    func rename(_ path: String, to target: String) throws(SecretsError) {
        try change { $0.names[target] = $0.names.removeValue(forKey: path) }
    }

    func syncDirectory(of path: String) throws(SecretsError) { try change { $0.durableNames = $0.names } }

    fileprivate static let ended = SecretsError(.keyringUnusable, "the process has ended")

    fileprivate func change(
        tearing tear: (inout State) -> Void = { _ in }, _ body: (inout State) -> Void
    ) throws(SecretsError) {
        let isDone = state.withLock { state in
            guard state.left != -1 else { return false }
            if state.left == 0 {
                tear(&state)
                state.left = -1
                return false
            }
            state.left = state.left.map { $0 - 1 }
            state.changes += 1
            body(&state)
            return true
        }
        guard isDone else { throw Self.ended }
    }
}

private struct SimulatedKeyFile: KeyFile {
    let storage: SimulatedKeyStorage
    let inode: Int

    private var bytes: [UInt8] { storage.state.withLock { $0.inodes[inode].bytes } }

    func mode() throws(SecretsError) -> UInt32 { 0o600 }

    func size() throws(SecretsError) -> Int { bytes.count }

    func read(at offset: Int, count: Int) throws(SecretsError) -> [UInt8] {
        Array(bytes.dropFirst(offset).prefix(count))
    }

    func write(_ new: [UInt8], at offset: Int) throws(SecretsError) {
        func put(_ part: ArraySlice<UInt8>, _ state: inout SimulatedKeyStorage.State) {
            let missing = offset + part.count - state.inodes[inode].bytes.count
            if missing > 0 { state.inodes[inode].bytes += [UInt8](repeating: 0, count: missing) }
            state.inodes[inode].bytes.replaceSubrange(offset..<offset + part.count, with: part)
        }
        try storage.change(tearing: { put(new[..<min($0.tornBytes ?? new.count / 3, new.count)], &$0) }) {
            $0.bytesWritten += new.count
            put(new[...], &$0)
        }
    }

    func sync() throws(SecretsError) {
        try storage.change {
            $0.syncs += 1
            $0.inodes[inode].durable = $0.inodes[inode].bytes
        }
    }

    func truncate(to size: Int) throws(SecretsError) {
        try storage.change { state in
            let bytes = state.inodes[inode].bytes
            state.inodes[inode].bytes =
                bytes.count > size
                ? Array(bytes[..<size]) : bytes + [UInt8](repeating: 0, count: size - bytes.count)
        }
    }
}
