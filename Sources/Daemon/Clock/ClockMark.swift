import CommandHandling
import Domain
import Secrets

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Keeps in the data directory what the clock said of the machine's start, for the next process on the same start of it.
struct ClockMark: Sendable {
    private static let bytesMax = 300

    private let path: String
    /// The machine's start: others have another id. `nil` on a machine that gives none.
    private let bootID: String?

    init(_ directory: DataDirectory) {
        path = directory.clock
        bootID = Self.bootID()
    }

    /// The machine's start as the last process had it; `nil` when it was another start, or is not known.
    func read() -> Timestamp? {
        guard let bootID, let text = Self.text(of: path) else { return nil }
        let parts = text.split { $0 == " " || $0 == "\n" }
        guard parts.count == 2, parts[0] == bootID, let start = Int64(parts[1]) else { return nil }
        return Timestamp(microseconds: start)
    }

    func save(_ start: Timestamp) throws(SecretsError) {
        guard let bootID else { return }
        try ProtectedFile.create(path, Array("\(bootID) \(start.microseconds)\n".utf8))
    }

    /// The kernel's id of this start (random(4)). A time namespace has a clock of its own (time_namespaces(7)).
    private static func bootID() -> String? {
        guard let id = text(of: "/proc/sys/kernel/random/boot_id")?.split(separator: "\n").first else { return nil }
        var name = [CChar](repeating: 0, count: 64)
        let count = readlink("/proc/self/ns/time", &name, name.count - 1)
        let namespace = name.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        return id + "/" + String(decoding: namespace, as: UTF8.self)
    }

    private static func text(of path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: bytesMax)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
