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
