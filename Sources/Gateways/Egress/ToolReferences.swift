import Domain
import Governance

/// Rewrites the URLs in a tool's response headers, so that an agent that follows them stays at the gate.
///
/// A reference below the tool's base URL becomes a path of the address that the agent called. Every other one becomes
/// absolute: as a relative one it would lead from the agent's view to some other path of the gate.
struct ToolReferences {
    private let tool: GovernedTool
    private let call: NormalizedURL
    /// The path by which the agent calls the tool.
    private let address: String

    init(of tool: GovernedTool, call: NormalizedURL, address: String) {
        self.tool = tool
        self.call = call
        self.address = address
    }

    func rewritten(_ headers: [(name: String, value: String)]) -> [(name: String, value: String)] {
        guard !address.isEmpty else { return headers }
        return headers.map { name, value in
            switch name.inLowerCase {
            case "location", "content-location": (name, rewritten(value))
            case "link": (name, rewrittenLinks(value))
            case "refresh": (name, rewrittenRefresh(value))
            default: (name, value)
            }
        }
    }

    /// The reference as the agent can follow it.
    private func rewritten(_ reference: String) -> String {
        let resolved = call.resolving(reference)
        guard let url = try? NormalizedURL(resolved), let place = tool.place(of: url) else { return resolved }
        let fragment = reference.utf8.firstIndex(of: UInt8(ascii: "#")).map { String(reference[$0...]) } ?? ""
        return address + place.path + (url.query.map { "?" + $0 } ?? "") + fragment
    }

    /// `<URL>; rel=next, <URL>; …` (RFC 8288, section 3).
    private func rewrittenLinks(_ value: String) -> String {
        var (text, rest) = ("", value[...])
        while let start = rest.utf8.firstIndex(of: UInt8(ascii: "<")),
            let end = rest[start...].utf8.firstIndex(of: UInt8(ascii: ">"))
        {
            let target = rest.index(after: start)
            text += String(rest[..<target]) + rewritten(String(rest[target..<end]))
            rest = rest[end...]
        }
        return text + String(rest)
    }

    /// `5; url=URL` (WHATWG HTML, section 4.2.5.3).
    private func rewrittenRefresh(_ value: String) -> String {
        let lower = value.lowercased()
        guard let range = lower.firstRange(of: "url="), value.utf8.count == lower.utf8.count else { return value }
        let count = lower.utf8.distance(from: lower.startIndex, to: range.upperBound)
        let start = value.utf8.index(value.startIndex, offsetBy: count)
        return String(value[..<start]) + rewritten(String(Self.unquoted(value[start...])))
    }

    /// The text up to the quotation mark that it begins with. Others stay: a credential that they part was not found,
    /// and may not be put together here.
    private static func unquoted(_ text: Substring) -> Substring {
        guard let mark = text.first, mark == "\"" || mark == "'" else { return text }
        return text.dropFirst().prefix { $0 != mark }
    }
}

extension NormalizedURL {
    /// The absolute URL that a reference in the response of this one names (RFC 3986, section 5.2).
    fileprivate func resolving(_ reference: String) -> String {
        let bytes = Array(reference.utf8)
        if Self.hasScheme(bytes) { return reference }
        if bytes.starts(with: "//".utf8) { return scheme.rawValue + ":" + reference }
        switch bytes.first {
        case UInt8(ascii: "/"): return origin + reference
        case UInt8(ascii: "?"): return origin + path + reference
        case nil, UInt8(ascii: "#"): return text + reference
        default:
            let directory = path.prefix(through: path.lastIndex(of: "/") ?? path.startIndex)
            return origin + String(directory) + reference
        }
    }

    private static func hasScheme(_ bytes: [UInt8]) -> Bool {
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { return false }
        return bytes[..<colon].allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "+-.".utf8.contains(byte)
        }
    }
}
