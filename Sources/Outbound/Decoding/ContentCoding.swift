/// A coding of a body that is decoded (RFC 9110, section 8.4.1).
enum ContentCoding: Hashable, Sendable {
    case gzip
    /// The zlib format; some services send its contents without the format.
    case deflate

    /// - Parameter name: in any case; `x-gzip` is `gzip`.
    init?(_ name: String) {
        switch name.lowercased() {
        case "gzip", "x-gzip": self = .gzip
        case "deflate": self = .deflate
        default: return nil
        }
    }

    var name: String {
        switch self {
        case .gzip: "gzip"
        case .deflate: "deflate"
        }
    }
}

extension OutboundResponse {
    /// The same response without its content coding, whose body is decoded as it is read.
    ///
    /// - Parameter bytesMax: Maximum bytes of the decoded body; more end it with `OutboundError.tooLarge`.
    /// - Throws: `OutboundError.malformed` for a coding that is not decoded here.
    package func decoded(upTo bytesMax: Int) throws(OutboundError) -> OutboundResponse {
        let names = headers.filter { $0.name.lowercased() == "content-encoding" }
            .flatMap { $0.value.split(separator: ",") }
            .map { $0.filter { $0 != " " && $0 != "\t" } }
            .filter { !$0.isEmpty && $0.lowercased() != "identity" }
        guard let name = names.first else { return self }
        guard names.count == 1, let coding = ContentCoding(name) else {
            let shown = names.map { String($0.prefix(32)) }.joined(separator: ", ")
            throw .malformed("its content coding \(shown) cannot be decoded, and \"identity\" was asked for")
        }
        var response = self
        response.headers.removeAll { ["content-encoding", "content-length"].contains($0.name.lowercased()) }
        response.body.decoding = Body.Decoding(coding: coding, bytesMax: bytesMax)
        return response
    }
}
