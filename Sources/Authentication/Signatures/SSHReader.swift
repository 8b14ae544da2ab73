/// Reads the values of SSH's wire format (RFC 4251, section 5), never beyond the bytes that are there.
struct SSHReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func byte() throws(SSHFailure) -> UInt8 {
        guard let byte = rest.popFirst() else { throw .malformed("it ends too early") }
        return byte
    }

    mutating func number() throws(SSHFailure) -> UInt32 {
        try bytes(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func bytes(_ count: Int) throws(SSHFailure) -> [UInt8] {
        guard count <= rest.count else { throw .malformed("it ends too early") }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func string() throws(SSHFailure) -> [UInt8] { try bytes(Int(try number())) }

    mutating func text() throws(SSHFailure) -> String {
        guard let text = String(validating: try string(), as: UTF8.self) else { throw .malformed("it is no text") }
        return text
    }

    /// A positive number without leading zeros, as its bytes.
    mutating func positiveInteger() throws(SSHFailure) -> [UInt8] {
        let bytes = try string()
        guard let first = bytes.first, first < 0x80, first != 0 || (bytes.count > 1 && bytes[1] >= 0x80) else {
            throw .malformed("a number in it is not written as SSH writes positive ones")
        }
        return first == 0 ? Array(bytes.dropFirst()) : bytes
    }

    func end() throws(SSHFailure) { guard isAtEnd else { throw .malformed("more comes after its end") } }
}

/// Writes the same values.
enum SSHWriting {
    static func string(_ bytes: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: UInt32(bytes.count).bigEndian, Array.init) + bytes
    }

    static func string(_ text: String) -> [UInt8] { string(Array(text.utf8)) }
}

/// Why a key or a signature is not taken.
package enum SSHFailure: Error, Hashable, Sendable, CustomStringConvertible {
    case malformed(String)
    case notAccepted(String)
    case wrongNamespace(String)
    case doesNotFit

    package var description: String {
        switch self {
        case .malformed(let reason): "it cannot be read: \(reason)"
        case .notAccepted(let reason): reason
        case .wrongNamespace(let name):
            "it is in the namespace \"\(name.prefix(64))\" (`ssh-keygen -Y sign -n`), which is for something else"
        case .doesNotFit: "it is not of this text by this key"
        }
    }
}
