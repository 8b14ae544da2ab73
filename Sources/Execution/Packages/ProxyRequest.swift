/// The head of a request to the package proxy: where it wants to go, and what is sent there. Pure.
package struct ProxyRequest: Hashable, Sendable {
    /// The reason why a request is not carried out.
    package enum Refusal: Error, Hashable, Sendable {
        case malformed
        /// Neither a tunnel nor a request that only reads.
        case method
    }

    /// Maximum size of a head.
    package static let headBytesMax = 16_384
    private static let headEnd = Array("\r\n\r\n".utf8)
    private static let droppedNames: Set = [
        "connection", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "content-length",
    ]

    package let host: PackageHost
    /// True for `CONNECT`: the bytes that follow belong to the host.
    package let isTunnel: Bool
    private let method: String
    private let authority: String
    private let target: String
    private let headers: [String]

    /// The number of bytes of the head, once it is complete.
    package static func headLength(in bytes: [UInt8]) -> Int? {
        guard bytes.count >= headEnd.count else { return nil }
        for start in 0...(bytes.count - headEnd.count) where bytes[start] == headEnd[0] {
            if bytes[start..<(start + headEnd.count)].elementsEqual(headEnd) { return start + headEnd.count }
        }
        return nil
    }

    /// - Parameter head: the request line and the headers, with the empty line after them.
    package init(head: some Sequence<UInt8>) throws(Refusal) {
        let bytes = Array(head)
        guard bytes.allSatisfy({ $0 < 0x80 }) else { throw .malformed }
        let text = String(decoding: bytes, as: UTF8.self)
        var lines = text.split(separator: "\r\n", omittingEmptySubsequences: true).map(String.init)
        guard !lines.isEmpty, !lines.contains(where: { $0.utf8.contains { $0 < 0x20 && $0 != 0x09 } }) else {
            throw .malformed
        }
        let parts = lines.removeFirst().split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, parts[2].hasPrefix("HTTP/1.") else { throw .malformed }
        method = parts[0]
        isTunnel = method == "CONNECT"
        if isTunnel {
            guard let host = PackageHost(authority: parts[1], port: nil) else { throw .malformed }
            (self.host, authority, target) = (host, parts[1], "")
        } else {
            guard method == "GET" || method == "HEAD" else { throw .method }
            guard parts[1].hasPrefix("http://"), let host = PackageHost(url: parts[1]) else { throw .malformed }
            let path = parts[1].dropFirst(7).drop { !"/?".contains($0) }.prefix { $0 != "#" }
            (self.host, authority) = (host, host.port == 80 ? String(host.description.dropLast(3)) : host.description)
            target = path.hasPrefix("/") ? String(path) : "/" + path
        }
        headers = lines.filter { line in
            let name = line.prefix { $0 != ":" }.lowercased()
            return !Self.droppedNames.contains(name)
        }
    }

    /// The head for the host itself; empty for a tunnel.
    package var forwardedHead: [UInt8] {
        isTunnel ? [] : head(target: target, more: [])
    }

    /// The head for a proxy in between.
    ///
    /// - Parameter authorization: the value of `Proxy-Authorization`, when that proxy asks for one.
    package func head(through authorization: String?) -> [UInt8] {
        let more = authorization.map { ["Proxy-Authorization: \($0)"] } ?? []
        guard isTunnel else { return head(target: "http://\(authority)\(target)", more: more) }
        let lines = ["CONNECT \(host) HTTP/1.1", "Host: \(host)"] + more
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    private func head(target: String, more: [String]) -> [UInt8] {
        let lines = ["\(method) \(target) HTTP/1.1", "Host: \(authority)", "Connection: close"] + more + headers
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }
}
