#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The agent instance that a process belongs to.
///
/// A sandbox and a container have a namespace of processes of their own, which a process cannot leave. Without one the
/// instance is the child of the daemon that the process descends from. Processes that are neither, or have ended
/// already, count as one instance together.
enum PeerInstance: Hashable, Sendable {
    case namespace(String)
    case child(Int32)
    case unknown

    /// Longer lines of ancestors are not followed.
    private static let ancestorsMax = 32

    private static let ownNamespace = namespaceName(of: "self")

    init(process: Int32) {
        if process > 0, let namespace = Self.namespaceName(of: String(process)), namespace != Self.ownNamespace {
            self = .namespace(namespace)
        } else {
            self = Self.daemonChild(above: process).map { .child($0) } ?? .unknown
        }
    }

    private static func namespaceName(of process: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
            guard let start = text.baseAddress else { return nil }
            let count = readlink("/proc/\(process)/ns/pid", start, text.count)
            return count > 0 ? String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
        }
    }

    private static func daemonChild(above process: Int32) -> Int32? {
        let daemon = getpid()
        var process = process
        for _ in 0..<ancestorsMax where process > 1 {
            guard let parent = parent(of: process) else { return nil }
            if parent == daemon { return process }
            process = parent
        }
        return nil
    }

    /// The fourth field of `/proc/<process>/stat`; the second is a name in parentheses, which may hold anything.
    private static func parent(of process: Int32) -> Int32? {
        let file = open("/proc/\(process)/stat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        return withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { text in
            let count = read(file, text.baseAddress, text.count)
            guard count > 0, let name = text.prefix(count).lastIndex(of: UInt8(ascii: ")")) else { return nil }
            let fields = text[text.index(after: name)..<count].split(separator: UInt8(ascii: " "))
            guard fields.count > 1 else { return nil }
            return Int32(String(decoding: fields[1], as: UTF8.self))
        }
    }
}
