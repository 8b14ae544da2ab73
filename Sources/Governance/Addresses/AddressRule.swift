/// Whether a call to a tool may go to the address that its host has.
///
/// To be asked of the very address that will be connected to, after the name is resolved and on every connection: a
/// name may have another address the next time.
package enum AddressRule {
    /// - Returns: `nil` when it may, else a sentence that says why not and what to do.
    package static func refusal(of address: IPAddress, for tool: GovernedTool) -> String? {
        let kind = address.kind
        guard kind != .global, !names(tool, address) else { return nil }
        let host = tool.baseURL.host
        if (host == "localhost" || host.hasSuffix(".localhost")) && kind == .loopback { return nil }
        let isOfOwnNetwork = kind == .private || kind == .shared || kind == .loopback
        if tool.isInternal && isOfOwnNetwork { return nil }
        let advice = isOfOwnNetwork ? "; if it is meant to, store the tool with spec.connection.topology Internal" : ""
        return "tool \"\(tool.name)\" is at \(host), which is the \(kind.rawValue) address \(address)\(advice)"
    }

    /// Whether the tool's own base URL has the address for a host.
    private static func names(_ tool: GovernedTool, _ address: IPAddress) -> Bool {
        var host = tool.baseURL.host[...]
        if host.hasPrefix("[") { host = host.dropFirst().dropLast() }
        return IPAddress(String(host)) == address
    }
}
