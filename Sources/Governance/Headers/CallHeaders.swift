import Crypto
package import Domain

/// The headers of a call as they are judged, recorded, approved and sent: in one form, whatever form they came in.
///
/// Names are in lower case and sorted, and each is there once. Several lines of a list are joined by commas in their
/// order; several lines of anything else are refused, because one server takes the first and another the last.
package struct CallHeaders: Hashable, Sendable {
    package struct Line: Hashable, Sendable {
        package let name: String
        package let value: String
    }

    /// Maximum bytes of all names and values that are sent on.
    package static let bytesMax = 16_384

    /// Headers that can change what the call does.
    package let bound: [Line]
    /// Headers that describe this attempt alone.
    package let unbound: [Line]

    /// Chooses the headers that go to a tool; the others are dropped.
    ///
    /// - Throws: `InvalidHeader` for a header of these that two servers could read in two ways.
    package init(_ given: [(name: String, value: String)], for tool: GovernedTool) throws(InvalidHeader) {
        let given = given.map { (name: $0.name.lowercased(), value: $0.value) }
        let hopByHop = Set(given.filter { $0.name == "connection" }.flatMap { Self.elements($0.value) })
        var (bound, unbound): ([Line], [Line]) = ([], [])
        for name in Set(given.map(\.name)).sorted() where !hopByHop.contains(name) && name != tool.credentialHeader {
            guard !tool.hasCredentials || !HeaderRule.pieces.contains(name) else { continue }
            let isBound = tool.bindsHeader(name)
            guard isBound || HeaderRule.unbound.contains(name) else { continue }
            let values = given.filter { $0.name == name }.map(\.value)
            let line = Line(name: name, value: try Self.joined(values, of: name))
            if isBound { bound.append(line) } else { unbound.append(line) }
        }
        let bytes = (bound + unbound).reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        guard bytes <= Self.bytesMax else {
            throw InvalidHeader("the headers are longer than \(Self.bytesMax) bytes: send fewer or shorter ones")
        }
        self.bound = bound
        self.unbound = unbound
    }

    /// SHA-256 over the bound headers: name and value of each, in order, each after its length in bytes as a big-endian
    /// 64-bit number, so that no two sets of headers make the same bytes.
    package var digest: PayloadHash {
        var digest = PayloadDigest.Streaming()
        for part in bound.flatMap({ [$0.name, $0.value] }) {
            withUnsafeBytes(of: UInt64(part.utf8.count).bigEndian) { digest.update(Array($0)) }
            digest.update(Array(part.utf8))
        }
        return digest.finalize()
    }

    /// The bound headers as approvers see them: a JSON object.
    package var shown: JSONText {
        JSONValue.object(bound.map { JSONValue.Member(name: $0.name, value: .string($0.value)) }).text
    }

    private static func joined(_ values: [String], of name: String) throws(InvalidHeader) -> String {
        let trimmed = values.map { $0.trimmingBlanks }
        guard trimmed.allSatisfy({ $0.utf8.allSatisfy { 0x20...0x7e ~= $0 || $0 == 0x09 } }) else {
            throw InvalidHeader("header \(name) has other characters than visible ASCII: encode them")
        }
        guard trimmed.count > 1 else { return trimmed.first ?? "" }
        guard HeaderRule.lists.contains(name) else {
            throw InvalidHeader("header \(name) came \(trimmed.count) times: send it once")
        }
        return trimmed.filter { !$0.isEmpty }.joined(separator: ", ")
    }

    /// The names that a `Connection` header lists.
    private static func elements(_ value: String) -> [String] {
        value.split(separator: ",").map { $0.trimmingBlanks.lowercased() }
    }
}

/// The reason why headers cannot be judged, and what to do.
package struct InvalidHeader: Error, Hashable, Sendable {
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}

extension GovernedTool {
    /// True when the header is sent to this tool and belongs to what is approved and recorded.
    ///
    /// - Parameter name: in lower case.
    fileprivate func bindsHeader(_ name: String) -> Bool {
        HeaderRule.bound.contains(name) || headers.contains(name)
            || name == HeaderRule.awsTarget && authentication == .awsSignature
    }
}
