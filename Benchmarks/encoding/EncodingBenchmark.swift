import CLZ4
import Domain
import EventStore

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

    static func main() throws {
        var source = TypicalEvents()
        let events = source.make(runs: runs)
        let candidates = [
            Candidate(name: "protobuf", encode: { EventCodec.encode($0) }, decode: { try EventCodec.decode($0) }),
            Candidate(name: "JSON lines", encode: JSONLines.encode, decode: JSONLines.decode),
            Candidate(name: "hand-made", encode: TaggedFields.encode, decode: TaggedFields.decode),
        ]
        let headings = batchSizes.map { "LZ4, \($0) a frame" }
        print("\(events.count) events, the best of \(rounds) rounds, one thread\n")
        print("| encoding | bytes/event | \(headings.joined(separator: " | ")) | encode/s | decode/s |")
        print("|---|" + String(repeating: "--:|", count: headings.count + 3))
        for candidate in candidates { try measure(candidate, events) }
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
