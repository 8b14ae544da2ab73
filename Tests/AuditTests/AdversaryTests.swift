import Audit
import Domain
import EventLog
import EventStore
import Foundation
import Logging
import TestSupport
import Testing

/// Somebody with the disk and the key changes history: whoever holds an older checkpoint sees it.
@Suite struct AdversaryTests {
    enum Change: CaseIterable {
        case rewrite, swap, remove, insert, cut, replaceAll

        /// Something else than `records`, which differs before the last of them.
        func applied(to records: [[UInt8]], _ random: inout SeededRandom) -> [[UInt8]] {
            var records = records
            let index = Int.random(in: 0..<records.count - 1, using: &random)
            switch self {
            case .rewrite: records[index].append(0)
            case .swap: records.swapAt(index, index + 1)
            case .remove: records.remove(at: index)
            case .insert: records.insert([1, 2, 3], at: index)
            case .cut: records.removeLast(records.count - index)
            case .replaceAll: records = TreeTests.records(records.count + 7, seed: 99)
            }
            return records
        }
    }

    @Test(arguments: Change.allCases)
    func noChangeBeforeACheckpointHasAProofOfItsOwn(_ change: Change) async throws {
        var random = SeededRandom(seed: 7)
        let operatorsKey = NoteSigner(name: "log")
        for size in [2, 3, 17, 256, 300, 700] {
            let records = TreeTests.records(size, seed: UInt64(size))
            let kept = Checkpoint(origin: "log", size: UInt64(size), root: TreeTests.root(records[...]))
            let forged = change.applied(to: records, &random) + TreeTests.records(40, seed: 5)
            try await withDirectory { directory in
                let (tree, _) = try await TreeTests.grown(forged, in: directory)
                let head = Checkpoint(
                    origin: "log", size: UInt64(forged.count), root: try await tree.root(of: UInt64(forged.count)))
                // It is signed by the right key, so the signature tells nothing.
                #expect(operatorsKey.verifier.isSigned(try operatorsKey.sign(head.text)))
                for old in [0] + (max(1, size - 3)...size + 3) where old <= forged.count {
                    let proof = try await tree.consistencyProof(from: UInt64(old), to: head.size)
                    #expect(ConsistencyProof(answer(proof))?.leads(from: kept, to: head) == false)
                    // With any one hash of the proof replaced by any that the operator may wish were there.
                    for place in proof.indices {
                        for wish in [kept.root, head.root, MerkleHash.ofNothing] {
                            var other = proof
                            other[place] = wish
                            #expect(ConsistencyProof(answer(other))?.leads(from: kept, to: head) == false)
                        }
                    }
                }
            }
        }
    }

    @Test func aHistoryThatOnlyGrowsHasAProof() async throws {
        let records = TreeTests.records(700)
        try await withDirectory { directory in
            let (tree, _) = try await TreeTests.grown(records, in: directory)
            let head = Checkpoint(origin: "log", size: 700, root: try await tree.root(of: 700))
            for size in [1, 2, 255, 256, 257, 512, 699, 700] {
                let kept = Checkpoint(origin: "log", size: UInt64(size), root: TreeTests.root(records[..<size]))
                let proof = try await tree.consistencyProof(from: kept.size, to: 700)
                #expect(ConsistencyProof(answer(proof))?.leads(from: kept, to: head) == true)
                let foreign = Checkpoint(origin: "other", size: kept.size, root: kept.root)
                #expect(ConsistencyProof(answer(proof))?.leads(from: foreign, to: head) == false)
            }
        }
    }

    private func answer(_ proof: [[UInt8]]) -> JSONValue {
        .object([
            .init(name: "consistency", value: .array(proof.map { .string(Data($0).base64EncodedString()) }))
        ])
    }

    /// The events of random commands, exported in every format and verified; then with one byte changed anywhere.
    @Test(arguments: ExportFormat.allCases)
    func noByteOfAnExportCanBeChangedToSaySomethingElse(_ format: ExportFormat) async throws {
        var generator = LogGenerator(seed: 3)
        generator.hasSignatures = false
        let events = generator.events(400)
        let runs = Dictionary(grouping: events.compactMap(\.event.runID)) { $0 }
        let run = try #require(runs.max { $0.value.count < $1.value.count }?.key)
        try await withDirectory { directory in
            let records = events.map { EventCodec.encode($0.event) }
            let (tree, log) = try await TreeTests.grown(records, in: directory + "/tile")
            let keeper = try CheckpointKeeper(
                tree: tree, files: AuditFiles(directory), witnesses: [], now: { Timestamp(microseconds: 0) },
                logger: Logger(label: "test"))
            let exporter = AuditExporter(log: log, tree: tree, keeper: keeper)
            let written = Written()
            try await exporter.export(run: run, from: Position(1), after: nil, as: format) { await written.add($0) }
            let text = await written.text
            let report = try verified(text, keeper.verifier)
            #expect(report.events == events.count { $0.event.runID == run })
            var random = SeededRandom(seed: 11)
            let bytes = Array(text.utf8)
            let before = try summary(text)
            for _ in 0..<150 {
                var changed = bytes
                let index = Int.random(in: 0..<bytes.count, using: &random)
                changed[index] = UInt8.random(in: 0x20...0x7e, using: &random)
                guard changed != bytes, let forged = String(bytes: changed, encoding: .utf8) else { continue }
                // Either it is noticed, or it was white space, or in what says nothing of the events.
                if (try? verified(forged, keeper.verifier)) != nil { #expect(try summary(forged) == before) }
            }
        }
    }

    private actor Written {
        private(set) var text = ""

        func add(_ part: String) { text += part }
    }

    private func verified(_ text: String, _ key: NoteVerifier) throws -> AuditVerifier.Report {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)[...]
        var verifier = AuditVerifier(key: key)
        return try verifier.verify { lines.popFirst() }
    }

    /// What an export says of events.
    private func summary(_ text: String) throws -> [String] {
        let lines = text.split(separator: "\n").map(String.init)
        let documents: [JSONValue] =
            if let whole = try? JSONValue(parsing: Array(text.utf8)) { [whole] } else {
                try lines.map { try JSONValue(parsing: Array($0.utf8)) }
            }
        return documents.flatMap { document -> [String] in
            let parts = [document, document["data"], document["event"], document["unmapped"]].compactMap(\.self)
            return parts.flatMap { part -> [JSONValue] in
                if case .array(let events)? = part["events"] { events } else { [part] }
            }.filter { $0["record"] != nil }.compactMap { $0["event"]?.text.text }
        }
    }
}
