import Domain
import Logging
import Secrets

/// Warns while the keyring has nearly as many people as it may have.
struct KeyringWatch: Sendable {
    private static let interval = Duration.seconds(60)
    private static let warningPercent = 80

    private let vault: SecretVault
    private let peopleMax: Int
    private let logger: Logger

    init(_ vault: SecretVault, _ limits: Limits, _ logger: Logger) {
        self.vault = vault
        peopleMax = limits.peopleMax
        self.logger = logger
    }

    /// Looks at once, and then every minute until its task is cancelled. It warns when the number has passed the mark, and
    /// once more when no one more is taken.
    func run() async {
        var warnedPercent = 0
        while !Task.isCancelled {
            let people = vault.keyCounts[.person]
            // 100 when it is reached, and not before.
            let percent = people >= peopleMax ? 100 : min(99, people / max(1, peopleMax / 100))
            if [Self.warningPercent, 100].contains(where: { warnedPercent < $0 && $0 <= percent }) {
                logger.warning(
                    "keyring nearly full; raise people-max or erase people",
                    metadata: ["people": "\(people)", "people_max": "\(peopleMax)"])
            }
            warnedPercent = percent
            do { try await Task.sleep(for: Self.interval) } catch { return }
        }
    }
}

/// The figures of the keyring for `/metrics`.
struct KeyringGauges {
    let text: String

    init(_ vault: SecretVault, _ limits: Limits) {
        var lines = ["# TYPE sluice_keyring_keys gauge"]
        let counts = vault.keyCounts
        for kind in KeyKind.allCases { lines.append("sluice_keyring_keys{kind=\"\(kind.rawValue)\"} \(counts[kind])") }
        lines.append("# TYPE sluice_keyring_people_max gauge\nsluice_keyring_people_max \(limits.peopleMax)")
        lines.append("# TYPE sluice_keyring_bytes gauge\nsluice_keyring_bytes \(2 * vault.keyringByteCount)")
        text = lines.joined(separator: "\n") + "\n"
    }
}
