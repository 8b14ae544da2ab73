import Domain
import HTTPTypes

/// The address that an agent has in place of a key, `http://<host>/as/<key>`, in the documents that it sends.
///
/// What is kept names a place instead: the key is a secret, and another one after a restart. The agent that reads the
/// document gets its address of now.
struct GateAddress {
    private static let hostInDocuments = "gate.sluice"
    private static let keyInDocuments = "-agent-key-"

    private let host: String?
    private let key: String

    /// `nil` for a request whose address has no key.
    init?(_ request: APIRequest) {
        guard let path = request.head.path, path.hasPrefix(AuthenticationMiddleware.agentPathPrefix) else { return nil }
        key = String(path.dropFirst(AuthenticationMiddleware.agentPathPrefix.count).prefix { $0 != "/" })
        guard !key.isEmpty else { return nil }
        let host = request.head.authority ?? ""
        self.host = host.isEmpty || !host.utf8.allSatisfy(Self.isOfHost) ? nil : host
    }

    func hidden(in document: JSONText) -> JSONText {
        var text = document.text
        if let host {
            text = text.replacing(
                Self.address(host, key), with: Self.address(Self.hostInDocuments, Self.keyInDocuments))
        }
        return JSONText(verified: text.replacing(key, with: Self.keyInDocuments))
    }

    func restored(in document: JSONText) -> JSONText {
        var text = document.text
        if let host {
            text = text.replacing(
                Self.address(Self.hostInDocuments, Self.keyInDocuments), with: Self.address(host, key))
        }
        return JSONText(verified: text.replacing("/as/\(Self.keyInDocuments)", with: "/as/\(key)"))
    }

    private static func address(_ host: String, _ key: String) -> String { "://\(host)/as/\(key)" }

    /// Nothing that would need an escape in a JSON text.
    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._:[]".utf8.contains(byte)
        }
    }
}

extension APIRequest {
    /// The body as it is kept.
    var keptBody: JSONText { GateAddress(self)?.hidden(in: body.text) ?? body.text }
}
