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
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count > 4, parts[0].isEmpty, parts[1].elementsEqual("as".utf8), !parts[2].isEmpty,
            parts[3].elementsEqual("egress".utf8), !parts[4].isEmpty
        else { return nil }
        tool = String(Substring(parts[4]))
        address = parts[..<5].map { String(Substring($0)) }.joined(separator: "/")
        remainder = parts.count > 5 ? "/" + String(Substring(parts[5])) : ""
    }
}
