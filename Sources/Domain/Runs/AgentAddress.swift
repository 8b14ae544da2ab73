/// What stands for an address in a run whose agent Sluice runs itself: `sluice://agents/<name>`, percent-encoded.
package enum AgentAddress {
    package static let scheme = "sluice://agents/"

    package static func invokeURL(ofAgent name: String) -> String { scheme + name.percentEncoded }

    /// The agent's name; `nil` for any other address.
    package static func agentName(_ invokeURL: String) -> String? {
        guard invokeURL.hasPrefix(scheme) else { return nil }
        return String(invokeURL.dropFirst(scheme.count)).percentDecoded.flatMap { $0.isEmpty ? nil : $0 }
    }
}

extension String {
    /// RFC 3986's unreserved characters as they are, all other bytes percent-encoded.
    package var percentEncoded: String {
        var text: [UInt8] = []
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                text.append(byte)
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%".utf8
                if byte < 16 { text += "0".utf8 }
                text += digits.utf8
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The text that `percentEncoded` was made of; `nil` when it is none.
    package var percentDecoded: String? {
        var bytes: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
