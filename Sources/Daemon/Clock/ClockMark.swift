import CommandHandling
import Domain
import Secrets

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Keeps in the data directory what the clock said of the machine's start, for the next process on the same start of it, and
/// the confirmation of a wall clock that is behind events, for every later one.
struct ClockMark: Sendable {
    struct Content: Sendable {
        /// The machine's start as the last process had it; `nil` when it was another start, or is not known.
        var machineStart: Timestamp?
        /// The newest event that the wall clock was behind when it was confirmed.
        var confirmedEvent: Timestamp?
    }

    private static let bytesMax = 300
    /// Stands for the id of a start on a machine that gives none.
    private static let noID = "-"

    private let path: String
    /// The machine's start: others have another id. `nil` on a machine that gives none.
    private let bootID: String?

    init(_ directory: DataDirectory) {
        path = directory.clock
        bootID = Self.bootID()
    }

    /// The content that the last process saved; empty when there is none that can be read.
    func read() -> Content {
        let parts = (Self.text(of: path) ?? "").split { $0 == " " || $0 == "\n" }
        guard (2...3).contains(parts.count), let start = Int64(parts[1]) else { return Content() }
        let isOfThisStart = bootID.map { parts[0] == $0 } ?? false
        return Content(
            machineStart: isOfThisStart ? Timestamp(microseconds: start) : nil,
            confirmedEvent: parts.count == 3 ? Int64(parts[2]).map { Timestamp(microseconds: $0) } : nil)
    }

    func save(_ content: Content) throws(SecretsError) {
        guard let start = content.machineStart, bootID != nil || content.confirmedEvent != nil else { return }
        let confirmed = content.confirmedEvent.map { " \($0.microseconds)" } ?? ""
        try ProtectedFile.create(path, Array("\(bootID ?? Self.noID) \(start.microseconds)\(confirmed)\n".utf8))
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
