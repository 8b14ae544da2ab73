import Daemon
import SystemPackage

/// A file, or standard input as `-`, read a part at a time.
final class TextFile {
    private static let partBytes = 256 * 1024
    /// Longer lines are of no file that is read here.
    private static let lineBytesMax = 64 * 1024 * 1024

    private let name: String
    private let descriptor: FileDescriptor
    private var rest: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    /// - Throws: `DaemonError` when it cannot be opened.
    init(_ name: String) throws(DaemonError) {
        self.name = name
        do {
            descriptor = name == "-" ? .standardInput : try FileDescriptor.open(name, .readOnly)
        } catch {
            throw DaemonError(.configuration, "\(name) cannot be read: \(error)")
        }
    }

    deinit { if name != "-" { try? descriptor.close() } }

    /// The next line without its end; `nil` after the last.
    func nextLine() throws(DaemonError) -> String? {
        var searched = start
        while true {
            if let end = rest[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return String(decoding: rest[start..<end], as: UTF8.self)
            }
            if isAtEnd {
                guard start < rest.count else { return nil }
                defer { start = rest.count }
                return String(decoding: rest[start...], as: UTF8.self)
            }
            rest.removeFirst(start)
            start = 0
            searched = rest.count
            guard rest.count < Self.lineBytesMax else {
                throw DaemonError(.configuration, "\(name) has a line of more than \(Self.lineBytesMax) bytes")
            }
            try readPart()
        }
    }

    /// All of it.
    ///
    /// - Throws: `DaemonError` when it cannot be read, or is larger than that.
    func bytes(max bytesMax: Int = lineBytesMax) throws(DaemonError) -> [UInt8] {
        while !isAtEnd, rest.count <= bytesMax { try readPart() }
        guard rest.count <= bytesMax else {
            throw DaemonError(.configuration, "\(name) is larger than \(bytesMax) bytes")
        }
        return Array(rest[start...])
    }

    func text() throws(DaemonError) -> String { String(decoding: try bytes(), as: UTF8.self) }

    private func readPart() throws(DaemonError) {
        do {
            let part = try [UInt8](unsafeUninitializedCapacity: Self.partBytes) { buffer, count in
                count = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
            rest += part
            isAtEnd = part.isEmpty
        } catch {
            throw DaemonError(.configuration, "\(name) cannot be read: \(error)")
        }
    }
}
