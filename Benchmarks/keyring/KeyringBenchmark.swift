import Domain
import Foundation
import Secrets
import TestSupport

/// What keys of people cost as their number grows: to make one, to open the keyring, to keep it, and to erase.
@main
struct KeyringBenchmark {
    private static let batch = 5_000
    private static let samples = 200
    private static let erasures = 1_000

    static func main() async throws {
        let counts = CommandLine.arguments.dropFirst().compactMap { Int($0) }
        for count in counts.isEmpty ? [10_000, 100_000, 1_000_000] : counts {
            try await withDirectory { @Sendable directory in try await measure(count, in: directory) }
        }
    }

    private static func measure(_ count: Int, in directory: String) async throws {
        var vault = try await open(directory)
        for first in stride(from: 0, to: count, by: batch) {
            try await make(people(first..<min(first + batch, count)), vault)
        }
        var times: [Double] = []
        for number in count..<count + samples {
            times.append(try await seconds { try await make(people(number..<number + 1), vault) })
        }
        times.sort()
        show("one key made at \(count)", "p50 \(micro(times[samples / 2])), p99 \(micro(times[samples * 99 / 100]))")
        show("both files", "\(2 * vault.keyringByteCount / 1_048_576) MiB")
        let before = residentKiB()
        let opening = try await seconds { vault = try await open(directory) }
        show("the keyring opened", "\(Int(opening * 1_000)) ms, \((residentKiB() - before) / 1_024) MiB of memory")
        try await erase(count, vault)
    }

    /// As many erasures one after the other, and then all in one change.
    private static func erase(_ count: Int, _ vault: SecretVault) async throws {
        let single = try people(0..<erasures).map { try id($0, vault) }
        let together = try people(erasures..<2 * erasures).map { try id($0, vault) }
        let one = try await seconds { for person in single { try await vault.destroy([person]) } }
        let all = try await seconds { try await vault.destroy(together) }
        show("\(erasures) keys destroyed one by one", "\(Int(one * 1_000)) ms")
        show("\(erasures) keys destroyed together", "\(Int(all * 1_000)) ms")
    }

    private static func open(_ directory: String) async throws -> SecretVault {
        let keyring = try Keyring.open(
            path: directory + "/keyring", configured: nil,
            masterKeyFile: MasterKeyFile(path: directory + "/master.key"))
        return try await SecretVault(keyring) { UUIDValue(high: 0, low: 0) }
    }

    private static func people(_ numbers: Range<Int>) -> [PersonName] {
        numbers.map { PersonName(workspace: .default, userID: "person-\($0)@example.test") }
    }

    private static func make(_ people: [PersonName], _ vault: SecretVault) async throws {
        try await vault.makeKeys(of: Dictionary(uniqueKeysWithValues: people.map { ($0, Actor.bootstrap) }))
    }

    private static func id(_ person: PersonName, _ vault: SecretVault) throws -> PersonID {
        guard let id = try vault.personID(of: person) else { fatalError("a key that was made is there") }
        return id
    }

    private static func residentKiB() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return line.split(separator: " ").compactMap { Int($0) }.first ?? 0
    }

    private static func seconds(_ body: () async throws -> Void) async throws -> Double {
        let duration = try await ContinuousClock().measure(body)
        return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }

    private static func micro(_ seconds: Double) -> String { "\(Int(seconds * 1e6)) us" }

    private static func show(_ name: String, _ value: String) { print("\(name): \(value)") }
}
