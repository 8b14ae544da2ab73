import Domain
import SystemPackage

/// The settings of a configuration file: one JSON object whose values have their natural types.
struct SettingsFile: Sendable {
    private static let bytesMax = 65_536

    private(set) var texts: [SettingKey: String] = [:]

    /// - Throws: an error that names the file, and the setting that is unknown or has another type.
    init(_ path: String) throws(DaemonError) {
        func invalid(_ problem: String) -> DaemonError {
            DaemonError(.configuration, "the configuration file \(path) \(problem)")
        }
        let value: JSONValue
        do {
            value = try JSONValue(parsing: try Self.bytes(path))
        } catch let error as JSONError {
            throw invalid("is no JSON: \(error.message)")
        } catch {
            throw invalid("cannot be read: \(error)")
        }
        guard case .object(let members) = value else { throw invalid("must hold one JSON object") }
        for member in members {
            let key = try SettingKey.named(member.name, in: "the configuration file \(path)")
            guard let text = key.text(of: member.value) else {
                throw invalid("has another type of value for \"\(key.rawValue)\": it must be \(key.expectedType)")
            }
            texts[key] = text
        }
    }

    private static func bytes(_ path: String) throws -> [UInt8] {
        let descriptor = try FileDescriptor.open(FilePath(path), .readOnly)
        return try descriptor.closeAfter {
            var bytes: [UInt8] = []
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytesMax, alignment: 1)
            defer { buffer.deallocate() }
            while case let count = try descriptor.read(into: buffer), count > 0 {
                bytes += buffer.prefix(count)
                guard bytes.count <= bytesMax else {
                    throw DaemonError(.configuration, "it is larger than \(bytesMax) bytes")
                }
            }
            return bytes
        }
    }
}

extension SettingKey {
    private var isNumber: Bool { Int(defaultText) != nil }
    private var isFlag: Bool { defaultText == "true" || defaultText == "false" }

    /// The value as a flag of the command line would give it; `nil` for a type that the setting does not take.
    fileprivate func text(of value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .number(let text): isNumber ? text : nil
        case .bool(let flag): isFlag ? String(flag) : nil
        case .null, .array, .object: nil
        }
    }

    fileprivate var expectedType: String {
        if isNumber { return "a number, such as \(defaultText)" }
        if isFlag { return "true or false" }
        return defaultText.isEmpty ? "a string" : "a string, such as \"\(defaultText)\""
    }
}
