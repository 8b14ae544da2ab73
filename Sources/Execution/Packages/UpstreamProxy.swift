/// The operator's own HTTP proxy, which the package proxy goes through where one is configured. Pure.
package struct UpstreamProxy: Hashable, Sendable {
    package let host: PackageHost
    /// The value of `Proxy-Authorization`.
    package let authorization: String?
    /// Host names and domains that are reached without it.
    private let exceptions: [String]

    /// - Parameters:
    ///   - url: `http://[USER:PASSWORD@]HOST:PORT`; `nil` when that is another kind of proxy.
    ///   - exceptions: names and domains, separated by commas, as in `NO_PROXY`.
    package init?(url: String, exceptions: String = "") {
        let url = url.contains("://") ? url : "http://" + url
        guard url.hasPrefix("http://"), let host = PackageHost(url: url) else { return nil }
        self.host = host
        let authority = url.dropFirst(7).prefix { !"/?#".contains($0) }
        authorization = authority.lastIndex(of: "@").map {
            "Basic " + Self.base64(Array(String(authority[..<$0]).withoutPercentEncoding))
        }
        self.exceptions = exceptions.split(separator: ",").map { entry in
            entry.split(whereSeparator: \.isWhitespace).joined().lowercased()
        }
    }

    /// True when connections to that host go through the proxy.
    package func carries(_ host: PackageHost) -> Bool {
        !exceptions.contains { exception in
            if exception == "*" || exception == host.name || exception == host.description { return true }
            let domain = exception.hasPrefix(".") ? exception : "." + exception
            return exception.contains { $0 != "." } && host.name.hasSuffix(domain)
        }
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let value = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for index in 0..<4 {
                text += index <= group.count ? String(alphabet[value >> (18 - 6 * index) & 63]) : "="
            }
        }
        return text
    }
}

extension String {
    /// The bytes, with each `%XX` as the byte that it stands for.
    fileprivate var withoutPercentEncoding: [UInt8] {
        var bytes: [UInt8] = []
        var rest = Array(utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}
