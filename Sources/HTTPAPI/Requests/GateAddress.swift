import Authentication
import Domain
import Gateways
import HTTPTypes

/// The address that an agent has in place of a key, `http://<host>/as/<key>`, in the documents that it sends.
///
/// The key is redacted when the request comes in. A stored document names a host in its place, because both are others
/// after a restart; the agent that reads the document gets its address of then.
struct GateAddress {
    private static let hostInDocuments = "gate.sluice"

    private let host: String?
    private let key: String

    /// `nil` for a request whose address has no key.
    init?(_ request: APIRequest) {
        key = AuthenticationMiddleware.agentKey(request.head.path ?? "")
        guard !key.isEmpty else { return nil }
        let host = request.head.authority ?? ""
        self.host = host.isEmpty || !host.utf8.allSatisfy(Self.isOfHost) ? nil : host
    }

    func hidden(in document: JSONText) -> JSONText {
        guard let host else { return document }
        return JSONText(
            verified: document.text.replacing(
                Self.address(host, KeyRedactor.mark), with: Self.address(Self.hostInDocuments, KeyRedactor.mark)))
    }

    func restored(in document: JSONText) -> JSONText {
        var text = document.text
        if let host {
            text = text.replacing(
                Self.address(Self.hostInDocuments, KeyRedactor.mark), with: Self.address(host, key))
        }
        return JSONText(verified: text.replacing("/as/\(KeyRedactor.mark)", with: "/as/\(key)"))
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
