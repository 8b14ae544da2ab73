package import Domain
import EventLog
import EventStore
import EventStreaming
import Foundation

/// Checks exports and receipts with nothing but the file and the log's public key.
///
/// Nothing that a file says of an event is believed: it is made again from the record, whose hash has to lead to a
/// signed root.
package struct AuditVerifier: Sendable {
    package struct Report: Hashable, Sendable {
        package fileprivate(set) var events = 0
        package fileprivate(set) var firstPosition: UInt64?
        package fileprivate(set) var lastPosition: UInt64?
        /// Whose log it is, and how many events were under the newest checkpoint in the file.
        package fileprivate(set) var origin = ""
        package fileprivate(set) var treeSize: UInt64 = 0
        /// The run that it is of, when it is of one.
        package fileprivate(set) var runID: String?
        /// Whether the first event is the run's first.
        package fileprivate(set) var beginsAtStart = false
        /// Who has signed the checkpoint beside the log; nobody has checked their signatures.
        package fileprivate(set) var cosigners: [String] = []
        /// What a receipt says was decided.
        package fileprivate(set) var decision: JSONText?
        /// How many SSH signatures of decisions were checked.
        package fileprivate(set) var signatures = 0
        /// How many could not be, because what they are of stands before the file's beginning, or is not disclosed.
        package fileprivate(set) var uncheckedSignatures = 0
    }

    /// Why a file proves nothing; line 0 is the file as a whole.
    package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        package let line: Int
        package let reason: String

        package var description: String { line == 0 ? reason : "line \(line): \(reason)" }
    }

    private let key: NoteVerifier
    private var report = Report()
    private var head: ExportHead?
    private var line = 0
    /// A receipt has only the events of one action.
    private var isReceipt = false
    /// The run's own events are numbered without a gap.
    private var nextInStream: UInt64?
    private var signatures = SignatureChecks()

    /// - Parameter key: what the log signs its checkpoints with, from a source that the auditor trusts.
    package init(key: NoteVerifier) { self.key = key }

    /// Checks a file that is one document, or one document a line.
    ///
    /// - Parameter nextLine: gives the file's lines, without their ends.
    /// - Throws: `Failure`, or what `nextLine` throws.
    package mutating func verify(_ nextLine: () throws -> String?) throws -> Report {
        var document = ""
        while let text = try nextLine() {
            line += 1
            if !document.isEmpty {
                document += "\n" + text
            } else if let value = try? JSONValue(parsing: Array(text.utf8)) {
                try take(value)
            } else if !text.allSatisfy(\.isWhitespace) {
                guard head == nil else { throw failure("it is no JSON: the file was cut off or changed here") }
                document = text
            }
        }
        if !document.isEmpty {
            line = 0
            guard let value = try? JSONValue(parsing: Array(document.utf8)) else {
                throw failure("it is no JSON, or was cut off")
            }
            try take(value)
        }
        guard head != nil else { throw Failure(line: 0, reason: "there is no checkpoint in it") }
        return report
    }

    private mutating func take(_ value: JSONValue) throws(Failure) {
        // Where each format has its part: as it is, or as CloudEvents, Splunk and OCSF wrap it.
        let parts = [value, value["data"], value["event"], value["unmapped"]].compactMap(\.self)
        if let part = parts.first(where: { $0["checkpoint"] != nil }) {
            if value["checkpoint"] != nil { try checkMembers(ofHead: value) }
            try take(head: part)
        } else if let part = parts.first(where: { $0["record"] != nil }) {
            let event = try take(event: part)
            try checkWrapping(value, event)
        } else {
            throw failure("there is neither a checkpoint nor an event in it")
        }
    }

    /// Refuses members of a whole document that nothing proves: readers might take them for its events.
    private func checkMembers(ofHead document: JSONValue) throws(Failure) {
        guard case .object(let members) = document else { return }
        let known: Set = ["format", "run_id", "after", "checkpoint", "key", "events", "decision"]
        guard let other = members.first(where: { !known.contains($0.name) }) else { return }
        throw failure("nothing proves its member \"\(other.name.excerpt)\"")
    }

    private mutating func take(head part: JSONValue) throws(Failure) {
        guard let text = part["checkpoint"]?.string, let note = SignedNote(text), let checkpoint = Checkpoint(note.text)
        else { throw failure("the checkpoint is none") }
        guard key.isSigned(note), checkpoint.origin == key.name else {
            throw failure("the checkpoint is not signed by \(key.name) with this key")
        }
        isReceipt = part["format"]?.string == Receipt.format
        let run = part["run_id"]?.string
        let runID = run.flatMap { RunID($0) }
        guard runID != nil || (isReceipt && part["run_id"] == nil) else { throw failure("run_id is no id") }
        guard head == nil || report.runID == run else { throw failure("it goes on with another run") }
        head = ExportHead(checkpoint: checkpoint, note: note, key: key, runID: runID, after: nil)
        report.origin = checkpoint.origin
        report.treeSize = max(report.treeSize, checkpoint.size)
        report.runID = run
        report.cosigners = note.signatures.map(\.name).filter { $0 != key.name }
        guard case .array(let events)? = part["events"] else { return }
        var proven: [ProvenEvent] = []
        for event in events {
            let found = try take(event: event)
            // Only a receipt needs them together.
            if isReceipt { proven.append(found) }
        }
        guard isReceipt else { return }
        let decision = Receipt.decision(proven)
        guard isOneDecision(proven.map(\.recorded.event)),
            part["decision"]?.sorted == decision.value.sorted
        else { throw failure("its events do not say what it says was decided") }
        report.decision = decision
    }

    /// Whether the events are of one action, or one request for access, and say what was decided.
    private func isOneDecision(_ events: [Event]) -> Bool {
        guard let last = events.last, Receipt.isDecision(last.payload) else { return false }
        let subject: Receipt.Subject? =
            switch last.payload {
            case .actionApproved(let approved): last.runID.map { .action(approved.actionID, run: $0) }
            case .actionRejected(let rejected): last.runID.map { .action(rejected.actionID, run: $0) }
            case .personErased: .erasure(PersonID(last.stream.id))
            default: .accessRequest(AccessRequestID(last.stream.id))
            }
        return subject.map { subject in events.allSatisfy { Receipt.isPart($0, of: subject) } } ?? false
    }

    private mutating func take(event part: JSONValue) throws(Failure) -> ProvenEvent {
        guard let head else { throw failure("there is no checkpoint before the event") }
        guard let record = part["record"]?.string.flatMap({ Data(base64Encoded: $0) }).map(Array.init),
            let index = part["leaf_index"]?.integer, case .array(let hashes)? = part["inclusion"]
        else { throw failure("record, leaf_index and inclusion are not all there") }
        let inclusion = hashes.compactMap { $0.string.flatMap { Data(base64Encoded: $0) }.map(Array.init) }
        let disclosed = Disclosed(part["disclosed"])
        let root = MerkleProof.root(
            index: index, size: head.checkpoint.size, leafHash: MerkleHash.leaf(record), proof: inclusion)
        guard inclusion.count == hashes.count, root == head.checkpoint.root else {
            throw failure("the record is not event \(index &+ 1) of the log that was signed")
        }
        guard let event = try? EventCodec.decode(record, at: index + 1, opening: disclosed) else {
            throw failure("the record cannot be read; it may be of a newer version")
        }
        let recorded = RecordedEvent(position: Position(index + 1), event: event)
        guard part["event"]?.sorted == EventDocument.json(recorded).value.sorted else {
            throw failure("what it says of event \(index + 1) is not what the record says")
        }
        try follow(recorded, isWhole: disclosed.isAll(of: record), head)
        return ProvenEvent(
            record: record, recorded: recorded, inclusion: inclusion, disclosed: disclosed.plaintexts)
    }

    /// What stands around the event in the formats of others says nothing else than the event does.
    private func checkWrapping(_ value: JSONValue, _ event: ProvenEvent) throws(Failure) {
        guard let head, value["record"] == nil else { return }
        let isKnown = [ExportFormat.cloudEvents, .splunkHEC, .ocsf].contains { format in
            let line = format.line(event, head, isFirst: true)
            return (try? JSONValue(parsing: Array(line.utf8)))?.sorted == value.sorted
        }
        guard isKnown else { throw failure("what is around the event does not say what the record says") }
    }

    /// - Parameter isWhole: whether everything that is sealed in the event is disclosed.
    private mutating func follow(
        _ recorded: RecordedEvent, isWhole: Bool, _ head: ExportHead
    ) throws(Failure) {
        let (position, event) = (recorded.position.value, recorded.event)
        guard head.runID == nil || event.runID == head.runID else {
            throw failure("event \(position) is of another run")
        }
        guard report.lastPosition.map({ $0 < position }) ?? true else {
            throw failure("event \(position) is out of order")
        }
        if let reason = signatures.failure(event, isWhole: isWhole) { throw failure("event \(position): \(reason)") }
        (report.signatures, report.uncheckedSignatures) = (signatures.count, signatures.uncheckedCount)
        report.events += 1
        report.firstPosition = report.firstPosition ?? position
        report.lastPosition = position
        guard let runID = head.runID, event.stream == .run(runID) else { return }
        if let next = nextInStream {
            guard event.streamSequence == next || isReceipt else {
                throw failure("events of the run are missing before event \(position)")
            }
        } else {
            report.beginsAtStart = event.streamSequence == 1
        }
        nextInStream = event.streamSequence + 1
    }

    private func failure(_ reason: String) -> Failure { Failure(line: line, reason: reason) }
}

/// What a file says is sealed in a record. It is believed when the record is committed to it; without it what is sealed
/// reads as erased, which nobody can prove that it is not.
private struct Disclosed: PersonalDataReader {
    let plaintexts: [[UInt8]]

    init(_ value: JSONValue?) {
        guard case .array(let texts)? = value else {
            plaintexts = []
            return
        }
        plaintexts = texts.compactMap { $0.string.flatMap { Data(base64Encoded: $0) }.map(Array.init) }
    }

    /// Whether nothing in the record is left sealed.
    func isAll(of record: [UInt8]) -> Bool {
        let seals = (try? EventCodec.seals(in: record)) ?? []
        return seals.allSatisfy { plaintexts.contains(where: $0.isCommitment) }
    }

    func open(_ seal: PersonalSeal, in event: EventID) -> PersonalData {
        plaintexts.first(where: seal.isCommitment).map(PersonalData.plaintext) ?? .erased
    }
}

extension JSONValue {
    /// The same value with the members of each object in the order of their names: programs on the way may change it.
    fileprivate var sorted: JSONValue {
        switch self {
        case .null, .bool, .number, .string: self
        case .array(let values): .array(values.map(\.sorted))
        case .object(let members):
            .object(members.map { Member(name: $0.name, value: $0.value.sorted) }.sorted { $0.name < $1.name })
        }
    }

    fileprivate var integer: UInt64? {
        if case .number(let text) = self { UInt64(text) } else { nil }
    }
}
