/// The head of the reply to a CONNECT, as it arrives from the operator's proxy (RFC 9110, section 9.3.6). Pure.
package struct UpstreamReply: Sendable {
    private static let headBytesMax = 16 * 1024

    private var head: [UInt8] = []

    package init() {}

    /// Adds a part of the reply.
    ///
    /// - Returns: true once the proxy has opened the tunnel, false once it has refused it; `nil` while the head is not
    ///   complete.
    package mutating func isTunnel(after part: some Sequence<UInt8>) -> Bool? {
        head += part
        guard head.firstRange(of: Array("\r\n\r\n".utf8)) != nil else {
            return head.count > Self.headBytesMax ? false : nil
        }
        let status = head.prefix { $0 != UInt8(ascii: "\r") }.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard status.count > 1, status[0].starts(with: Array("HTTP/1.".utf8)), status[1].count == 3 else {
            return false
        }
        return status[1].first == UInt8(ascii: "2")
    }
}
