package import Domain
package import EventStore
package import EventStreaming

/// An event with what proves that it is in the log: its record as it is there, and the way from it to a signed root.
package struct ProvenEvent: Sendable {
    package let record: [UInt8]
    package let recorded: RecordedEvent
    package let inclusion: [[UInt8]]
    /// What is sealed in the record, as far as its keys are there.
    package let disclosed: [[UInt8]]

    package init(record: [UInt8], recorded: RecordedEvent, inclusion: [[UInt8]], disclosed: [[UInt8]]) {
        self.record = record
        self.recorded = recorded
        self.inclusion = inclusion
        self.disclosed = disclosed
    }

    /// What it says as JSON, the record, and the proof.
    package var json: JSONText {
        .object { json in
            json.add("event", EventDocument.json(recorded))
            json.add("record", base64: record)
            json.add("leaf_index", recorded.position.value - 1)
            json.add("inclusion", base64: inclusion)
            if !disclosed.isEmpty { json.add("disclosed", base64: disclosed) }
        }
    }
}

/// What an export's proofs lead to.
package struct ExportHead: Sendable {
    static let format = "sluice-audit/1"

    let checkpoint: Checkpoint
    let note: SignedNote
    let key: NoteVerifier
    /// The run that it is all of; only of a request for access there may be none.
    let runID: RunID?
    /// What follows begins after this position.
    let after: Position?

    /// The members that every form of it has.
    func add(to json: inout JSONObject, format: String = format) {
        json.add("format", format)
        json.add("run_id", runID?.description)
        json.add("after", after?.value)
        json.add("checkpoint", note.note)
        json.add("key", key.text)
    }

    var json: JSONText { .object { add(to: &$0) } }
}
