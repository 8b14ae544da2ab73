/// The path of a call of a tool, `/as/<token>/egress/<tool>…`, and the part of it that is the tool's.
struct EgressPath: Hashable, Sendable {
    /// The tool's address as the agent uses it: the path up to and including the tool's name.
    let address: String
    /// The tool's name, with its escapes.
    let tool: String
    /// The rest exactly as it was sent: empty, or beginning with a slash. Its escapes and slashes are the policy's to
    /// judge.
    let remainder: String

    /// `nil` for every other path, and when a part before the remainder is empty.
    init?(_ path: String) {
        let slash = UInt8(ascii: "/")
        guard path.utf8.starts(with: "/as/".utf8) else { return nil }
        let token = path.utf8.dropFirst(4).prefix { $0 != slash }
        guard !token.isEmpty, path.utf8[token.endIndex...].starts(with: "/egress/".utf8) else { return nil }
        let name = path.utf8[token.endIndex...].dropFirst(8).prefix { $0 != slash }
        guard !name.isEmpty else { return nil }
        tool = String(Substring(name))
        address = String(path[..<name.endIndex])
        remainder = String(path[name.endIndex...])
    }
}
