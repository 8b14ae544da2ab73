import Domain

/// Takes a provider's secrets out of what it says: some quote the key that they refuse.
struct SecretMask: Sendable {
    /// Shorter ones would hide words that are no secrets.
    private static let bytesMin = 8
    private static let mask = "[secret]"

    private let secrets: [String]

    init(_ credentials: CredentialStore, _ owner: ResourceKey, _ sent: OutgoingCall) {
        let stored = (try? credentials.secrets(of: owner).values.values.map(\.self)) ?? []
        // A token that was fetched with them is in the call alone.
        let carried = sent.header("authorization")?.split(separator: " ").last.map(String.init)
        secrets = (stored + [carried].compactMap(\.self)).filter { $0.utf8.count >= Self.bytesMin }
    }

    func applied(to text: String) -> String {
        secrets.reduce(text) { $0.replacing($1, with: Self.mask) }
    }

    func applied(to body: [UInt8]) -> [UInt8] {
        let text = String(decoding: body, as: UTF8.self)
        let masked = applied(to: text)
        return masked == text ? body : Array(masked.utf8)
    }
}
