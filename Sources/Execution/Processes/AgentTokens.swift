import Crypto
package import Domain
import Synchronization

/// Who an address under `/as/` belongs to: one token an instance, new at each start, in memory alone.
package final class AgentTokens: Sendable {
    package struct Agent: Hashable, Sendable {
        package let workspace: WorkspaceName
        package let name: String

        package init(workspace: WorkspaceName, name: String) {
            self.workspace = workspace
            self.name = name
        }
    }

    package static let prefix = "ra_agent_"
    /// The text in the place of a token or a secret.
    package static let mask = "***"
    private static let bytesMax = 128

    /// By the token's SHA-256, so that a look-up takes no longer for a guess that begins right.
    private let instances = Mutex<[SHA256.Digest: (agent: Agent, invokes: InstanceInvokes)]>([:])

    package init() {}

    /// Makes a token of 256 random bits.
    package func insert(_ agent: Agent, _ invokes: InstanceInvokes = InstanceInvokes()) -> String {
        let token = Self.prefix + SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }.hexText
        instances.withLock { $0[Self.digest(token)] = (agent, invokes) }
        return token
    }

    /// Revokes the tokens of one instance, which its process may go on to use.
    package func revoke(_ invokes: InstanceInvokes) {
        instances.withLock { instances in instances = instances.filter { $0.value.invokes !== invokes } }
    }

    package func remove(_ token: String) { _ = instances.withLock { $0.removeValue(forKey: Self.digest(token)) } }

    package func agent(of token: some StringProtocol) -> Agent? { instance(of: token)?.agent }

    /// The invokes that the token's instance is at.
    package func invokes(of token: some StringProtocol) -> [InstanceInvokes.Invoke] {
        instance(of: token)?.invokes.all ?? []
    }

    /// True when the token's instance may have a handler that its invoke has left behind.
    package func hasAbandonedInvokes(_ token: some StringProtocol) -> Bool {
        instance(of: token)?.invokes.hasAbandoned ?? false
    }

    /// True while the token's instance was not called for any run: it is importing its code.
    package func isStarting(_ token: some StringProtocol) -> Bool {
        instance(of: token).map { !$0.invokes.hasBegun } ?? false
    }

    private func instance(of token: some StringProtocol) -> (agent: Agent, invokes: InstanceInvokes)? {
        guard token.utf8.count <= Self.bytesMax, token.hasPrefix(Self.prefix) else { return nil }
        return instances.withLock { $0[Self.digest(token)] }
    }

    /// The text without the tokens in it, of whichever agent; those of other agents are not known, so that they are found
    /// by their prefix alone.
    package static func masked(_ text: [UInt8]) -> [UInt8] {
        let (prefix, mask) = (Array(prefix.utf8), Array(mask.utf8))
        var (masked, rest): ([UInt8], ArraySlice<UInt8>) = ([], text[...])
        while let range = rest.firstRange(of: prefix) {
            masked += rest[..<range.lowerBound] + mask
            rest = rest[range.upperBound...].drop(while: isHexadecimal)
        }
        return masked + rest
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    private static func digest(_ token: some StringProtocol) -> SHA256.Digest {
        SHA256.hash(data: Array(token.utf8))
    }
}
