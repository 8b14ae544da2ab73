import Daemon
import SystemPackage

/// A file that a command is given; `-` is standard input.
enum InputFile {
    /// - Throws: `DaemonError` when it cannot be read, or is larger than that.
    static func read(_ path: String, bytesMax: Int) throws -> [UInt8] {
        do {
            let descriptor = path == "-" ? FileDescriptor.standardInput : try FileDescriptor.open(path, .readOnly)
            defer { if path != "-" { try? descriptor.close() } }
            var bytes: [UInt8] = []
            var part = [UInt8](repeating: 0, count: 1024 * 1024)
            while true {
                let count = try part.withUnsafeMutableBytes { try descriptor.read(into: $0) }
                guard count > 0 else { return bytes }
                guard bytes.count + count <= bytesMax else {
                    throw DaemonError(.configuration, "\(path) is larger than \(bytesMax) bytes")
                }
                bytes += part[..<count]
            }
        } catch let error as Errno {
            throw DaemonError(.configuration, "\(path) cannot be read: \(error)")
        }
    }
}
