import Crypto

/// The name of something by its content: SHA-256, in hex.
package struct ContentKey: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// The environment of the packages: runtime, Python and requirements.
    package static func environment(runtime: String, python: String, requirements: [String]) -> ContentKey {
        ContentKey(["environment-1", runtime, python] + requirements)
    }

    /// The whole of what an agent runs.
    package static func bundle(_ sources: [AgentDefinition.SourceFile], environment: ContentKey) -> ContentKey {
        ContentKey(["bundle-1", environment.description] + sources.flatMap { [$0.path, $0.content] })
    }

    /// One instance's container.
    static func container(directory: String, socket: String) -> ContentKey {
        ContentKey(["container-1", directory, socket])
    }

    /// Each part goes in with its length before it, so that no two lists of parts read the same.
    private init(_ parts: [String]) {
        var hasher = SHA256()
        for part in parts {
            hasher.update(data: Array("\(part.utf8.count):".utf8))
            hasher.update(data: Array(part.utf8))
        }
        description = hasher.finalize().hexText
    }
}

extension Sequence<UInt8> {
    /// Two lower-case digits a byte.
    package var hexText: String {
        func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10 }
        var digits: [UInt8] = []
        for byte in self { digits += [digit(byte >> 4), digit(byte & 15)] }
        return String(decoding: digits, as: UTF8.self)
    }
}
