import CLZ4
import Domain
import EventStore
import Foundation
import Secrets

/// Compares encodings of typical run events: bytes an event, alone and compressed in frames, and events a second.
@main
struct EncodingBenchmark {
    private static let runs = 5_000
    private static let rounds = 5
    private static let batchSizes = [1, 16, 256]

    private struct Candidate {
        let name: String
        let encode: (Event) throws -> [UInt8]
        let decode: ([UInt8]) throws -> Event
    }

    static func main() async throws {
        var source = TypicalEvents()
        let events = source.make(runs: runs)
        let candidates = [
            Candidate(name: "protobuf", encode: { EventCodec.encode($0) }, decode: { try EventCodec.decode($0) }),
            try await sealed(events),
            Candidate(name: "JSON lines", encode: JSONLines.encode, decode: JSONLines.decode),
            Candidate(name: "hand-made", encode: TaggedFields.encode, decode: TaggedFields.decode),
        ]
        let headings = batchSizes.map { "LZ4, \($0) a frame" }
        print("\(events.count) events, the best of \(rounds) rounds, one thread\n")
        print("| encoding | bytes/event | \(headings.joined(separator: " | ")) | encode/s | decode/s |")
        print("|---|" + String(repeating: "--:|", count: headings.count + 3))
        for candidate in candidates { try measure(candidate, events) }
        try await measureKeys()
    }

    /// The time until a key is durable in both files of the keyring.
    private static func measureKeys() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "sluice-keys-\(getpid())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let keyring = try Keyring.open(
            path: directory.path + "/keyring", configured: nil,
            masterKeyFile: MasterKeyFile(path: directory.path + "/master.key"))
        let vault = try await SecretVault(keyring) { UUIDValue(high: 0, low: 0) }
        let clock = ContinuousClock()
        var times: [Duration] = []
        for number in 0..<200 {
            let person = PersonName(workspace: .default, userID: "person-\(number)")
            times.append(try await clock.measure { try await vault.makeKeys(of: [person: .bootstrap]) })
        }
        times.sort()
        print("\none key made: median \(times[times.count / 2]), slowest of \(times.count) \(times[times.count - 1])")
    }

    /// What the log has: protobuf, with personal fields sealed for the run's user.
    private static func sealed(_ events: [Event]) async throws -> Candidate {
        let directory = FileManager.default.temporaryDirectory.appending(path: "sluice-encoding-\(getpid())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let keyring = try Keyring.open(
            path: directory.path + "/keyring", configured: nil,
            masterKeyFile: MasterKeyFile(path: directory.path + "/master.key"))
        let keys = BenchmarkKeys(vault: try await SecretVault(keyring) { UUIDValue(high: 0, low: 0) })
        try await keys.makeKeys(
            of: Dictionary(
                events.compactMap { event in
                    event.person.map { (PersonName(workspace: event.workspace, userID: $0), event.actor) }
                }, uniquingKeysWith: { first, _ in first }))
        return Candidate(
            name: "protobuf, sealed", encode: { try EventCodec.encode($0, sealing: keys) ?? [] },
            decode: { try EventCodec.decode($0, opening: keys) })
    }

    private static func measure(_ candidate: Candidate, _ events: [Event]) throws {
        let records = try events.map(candidate.encode)
        for (record, event) in zip(records, events) {
            let decoded = try candidate.decode(record)
            precondition(decoded == event, "\(candidate.name) gives back another event")
        }
        let raw = records.reduce(0) { $0 + $1.count }
        let frames = batchSizes.map { perEvent(framesByteCount(records, batchSize: $0), events.count) }
        let encoding = try best { for event in events { sink(try candidate.encode(event).count) } }
        let decoding = try best { for record in records { sink(Int(try candidate.decode(record).streamSequence)) } }
        print(
            "| \(candidate.name) | \(perEvent(raw, events.count)) | \(frames.joined(separator: " | ")) "
                + "| \(rate(events.count, encoding)) | \(rate(events.count, decoding)) |")
    }

    /// The payloads of all frames: records with their length, as an LZ4 block, or stored when that is smaller.
    private static func framesByteCount(_ records: [[UInt8]], batchSize: Int) -> Int {
        stride(from: 0, to: records.count, by: batchSize).reduce(0) { sum, start in
            var frame: [UInt8] = []
            for record in records[start..<min(start + batchSize, records.count)] {
                frame.append(varint: UInt64(record.count))
                frame += record
            }
            return sum + min(frame.count, compressedByteCount(frame))
        }
    }

    private static func compressedByteCount(_ bytes: [UInt8]) -> Int {
        let bound = Int(LZ4_compressBound(Int32(bytes.count)))
        return bytes.withUnsafeBytes { source in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: bound) { target in
                Int(
                    LZ4_compress_default(
                        source.bindMemory(to: CChar.self).baseAddress, target.baseAddress, Int32(bytes.count),
                        Int32(bound)))
            }
        }
    }

    private static func best(_ body: () throws -> Void) rethrows -> Duration {
        var best = Duration.seconds(3600)
        for _ in 0..<rounds { best = min(best, try ContinuousClock().measure(body)) }
        return best
    }

    private static func perEvent(_ bytes: Int, _ count: Int) -> String { "\((bytes + count / 2) / count)" }

    private static func rate(_ count: Int, _ duration: Duration) -> String {
        "\(Int(Double(count) / (duration / .seconds(1)) / 1000)) k"
    }

    /// Keeps the optimizer from leaving out what is measured.
    @inline(never) private static func sink(_ value: Int) { precondition(value > 0, "nothing was made") }
}

/// Keys of people, as the daemon uses them.
private struct BenchmarkKeys: PersonalDataCipher {
    let vault: SecretVault

    func makeKeys(of people: [PersonName: Actor]) async throws(EventStoreError) {
        do { try await vault.makeKeys(of: people) } catch { throw .backend(.stopped(error.description)) }
    }

    func seal(
        _ values: [UInt8], of person: PersonName, in event: EventID, isActor: Bool
    ) throws(EventStoreError) -> (personID: PersonID, salt: [UInt8], ciphertext: [UInt8])? {
        do {
            let place = SealedPlace(event.value, isActor ? "actor" : "subject")
            return try vault.seal(values, of: person, at: place).map { ($0.personID, $0.salt, $0.sealed) }
        } catch {
            throw .backend(.stopped(error.description))
        }
    }

    func open(_ seal: PersonalSeal, in event: EventID) -> PersonalData {
        let place = SealedPlace(event.value, seal.isActor ? "actor" : "subject")
        let opened = try? vault.people.open(seal.ciphertext, of: seal.personID, at: place)
        return opened.map { .plaintext($0.salt + $0.bytes) } ?? .erased
    }
}
