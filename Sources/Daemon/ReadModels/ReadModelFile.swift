import Secrets

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The file of the read models, and a mark beside it that says how the last process left it.
///
/// The mark names the file by device and inode: a copied directory has another file under the same name.
struct ReadModelFile {
    /// The reason to trust the file, or not to.
    enum Trust: Equatable {
        /// It is as a stop in order has left it, or there is none yet.
        case whole
        /// It may be damaged, and is checked while it is used.
        case doubtful(String)
        /// It may be a mixture of states that no check can tell from a whole one: it is made again.
        case unusable(String)
    }

    private enum State: String {
        /// A process works with it, or has ended without closing it.
        case open
        case closed
    }

    private struct Facts {
        var (device, inode, size, changed): (UInt64, UInt64, UInt64, UInt64)
    }

    private static let markBytesMax = 200

    let path: String
    private let mark: String

    init(_ directory: DataDirectory) {
        path = directory.readModel
        mark = directory.readModelMark
    }

    /// Compares the file with its mark, before it is opened.
    func trust() throws(DaemonError) -> Trust {
        guard let file = facts(path) else { return .whole }
        guard let (state, last) = try readMark() else { return .doubtful("it has no mark of the last process") }
        let isSame = last.device == file.device && last.inode == file.inode
        switch state {
        case .open where isSame: return .doubtful("it was not closed")
        case .open: return .unusable("it is a copy of a file that was in use")
        case .closed:
            guard last.size == file.size, last.changed == file.changed, isCheckpointed else {
                return .unusable("it was changed while no process used it")
            }
            return isSame ? .whole : .doubtful("it is a copy")
        }
    }

    /// True when nothing is in the write-ahead log.
    private var isCheckpointed: Bool { (facts(path + "-wal")?.size ?? 0) == 0 }

    /// Removes the mark: first of all, so that no other state of the file is ever taken for a closed one.
    func removeMark() throws(DaemonError) {
        guard access(mark, F_OK) == 0, unlink(mark) != 0 else { return }
        throw DaemonError(.directoryUnusable, "unlink \(mark): \(String(cString: strerror(errno)))")
    }

    /// Marks the file as in use.
    func markOpen() throws(DaemonError) { try write(.open) }

    /// Marks the file as closed in order, once it is.
    func markClosed() throws(DaemonError) {
        // The mark describes the file without its write-ahead log.
        guard isCheckpointed else { return }
        try write(.closed)
    }

    private func write(_ state: State) throws(DaemonError) {
        guard let file = facts(path) else { return }
        let text = "\(state.rawValue) \(file.device) \(file.inode) \(file.size) \(file.changed)\n"
        do throws(SecretsError) {
            try ProtectedFile.create(mark, Array(text.utf8))
        } catch {
            throw DaemonError(.directoryUnusable, error.description)
        }
    }

    private func readMark() throws(DaemonError) -> (State, Facts)? {
        guard let file = fopen(mark, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: Self.markBytesMax)
        let count = fread(&bytes, 1, bytes.count, file)
        let parts = String(decoding: bytes[..<count], as: UTF8.self).split { $0 == " " || $0 == "\n" }
        let numbers = parts.dropFirst().compactMap { UInt64($0) }
        guard parts.count == 5, numbers.count == 4, let state = State(rawValue: String(parts[0])) else { return nil }
        return (state, Facts(device: numbers[0], inode: numbers[1], size: numbers[2], changed: numbers[3]))
    }

    private func facts(_ path: String) -> Facts? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        #if canImport(Glibc)
            let changed = status.st_mtim
        #else
            let changed = status.st_mtimespec
        #endif
        return Facts(
            device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(truncatingIfNeeded: status.st_ino),
            size: UInt64(clamping: status.st_size),
            changed: UInt64(clamping: changed.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: changed.tv_nsec))
    }
}
