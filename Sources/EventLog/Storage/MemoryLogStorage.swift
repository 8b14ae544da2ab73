import Synchronization

/// Segments in memory, with the difference between written and durable kept: what a crash would leave can be asked for.
package final class MemoryLogStorage: LogStorage {
    /// What the next calls answer instead of success.
    package enum Fault: Hashable, Sendable {
        case noSpaceOnWrite
        case failedSync
        /// Neither an existing nor a new file can be opened.
        case noDescriptors
    }

    fileprivate struct Contents {
        var bytes: [UInt8] = []
        var durable: [UInt8] = []
    }

    private struct State {
        var files: [String: Contents] = [:]
        var fault: Fault?
    }

    private let state = Mutex(State())

    package init() {}

    /// Sets or clears the fault that every following call meets.
    package func setFault(_ fault: Fault?) { state.withLock { $0.fault = fault } }

    /// A storage as it would be found after a power cut: unsynced bytes lost, but for the first `tornBytes` of them.
    package func afterCrash(keepingTornBytes tornBytes: Int = 0) -> MemoryLogStorage {
        let survivor = MemoryLogStorage()
        let files = state.withLock { $0.files }.mapValues { contents in
            let kept = max(contents.durable.count, min(contents.bytes.count, contents.durable.count + tornBytes))
            let bytes = Array((contents.durable + contents.bytes.dropFirst(contents.durable.count)).prefix(kept))
            return Contents(bytes: bytes, durable: bytes)
        }
        survivor.state.withLock { $0.files = files }
        return survivor
    }

    /// Changes a file behind the log's back.
    package func edit(_ name: String, _ change: (inout [UInt8]) -> Void) {
        state.withLock { state in
            var bytes = state.files[name]?.bytes ?? []
            change(&bytes)
            state.files[name] = Contents(bytes: bytes, durable: bytes)
        }
    }

    package func bytes(of name: String) -> [UInt8] { state.withLock { $0.files[name]?.bytes ?? [] } }

    package func names() throws(StorageError) -> [String] {
        try checkDescriptors("opendir")
        return state.withLock { Array($0.files.keys) }
    }

    private func checkDescriptors(_ call: String) throws(StorageError) {
        guard state.withLock({ $0.fault }) == .noDescriptors else { return }
        throw StorageError(kind: .noDescriptors, description: "\(call): injected fault")
    }

    package func open(_ name: String, isWritable: Bool) throws(StorageError) -> any LogFile {
        try checkDescriptors("open \(name)")
        guard state.withLock({ $0.files[name] }) != nil else {
            throw StorageError(kind: .notFound, description: "open \(name): no such file")
        }
        return MemoryLogFile(storage: self, name: name)
    }

    package func create(_ name: String) throws(StorageError) -> any LogFile {
        try checkDescriptors("create \(name)")
        guard state.withLock({ $0.files.updateValue(Contents(), forKey: name) }) == nil else {
            throw StorageError(kind: .other, description: "create \(name): exists")
        }
        return MemoryLogFile(storage: self, name: name)
    }

    package func remove(_ name: String) throws(StorageError) { state.withLock { $0.files[name] = nil } }

    package func rename(_ name: String, to target: String) throws(StorageError) {
        let isThere = state.withLock { state in
            guard let contents = state.files.removeValue(forKey: name) else { return false }
            state.files[target] = contents
            return true
        }
        guard isThere else { throw StorageError(kind: .notFound, description: "rename \(name): no such file") }
    }

    package func syncDirectory() throws(StorageError) {}

    fileprivate func withContents<Result: Sendable>(
        _ name: String, faults: [Fault] = [], _ body: (inout Contents) -> Result
    ) throws(StorageError) -> Result {
        let result: Result? = state.withLock { state in
            if let fault = state.fault, faults.contains(fault) { return nil }
            return body(&state.files[name, default: Contents()])
        }
        guard let result else {
            let kind: StorageError.Kind = faults == [.noSpaceOnWrite] ? .noSpace : .other
            throw StorageError(kind: kind, description: "injected fault on \(name)")
        }
        return result
    }
}

private struct MemoryLogFile: LogFile {
    let storage: MemoryLogStorage
    let name: String

    func read(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        try storage.withContents(name) { contents in
            Array(contents.bytes.dropFirst(Int(offset)).prefix(count))
        }
    }

    func write(_ bytes: [UInt8], at offset: UInt64) throws(StorageError) {
        try storage.withContents(name, faults: [.noSpaceOnWrite]) { contents in
            let end = Int(offset) + bytes.count
            if contents.bytes.count < end {
                contents.bytes += [UInt8](repeating: 0, count: end - contents.bytes.count)
            }
            contents.bytes.replaceSubrange(Int(offset)..<end, with: bytes)
        }
    }

    func sync() throws(StorageError) {
        try storage.withContents(name, faults: [.failedSync]) { $0.durable = $0.bytes }
    }

    func size() throws(StorageError) -> UInt64 { try storage.withContents(name) { UInt64($0.bytes.count) } }

    func truncate(to size: UInt64) throws(StorageError) {
        try storage.withContents(name) { $0.bytes = Array($0.bytes.prefix(Int(size))) }
    }
}
