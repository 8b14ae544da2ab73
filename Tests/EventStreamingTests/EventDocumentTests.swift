import Domain
import EventStreaming
import Foundation
import Testing

@Suite struct EventDocumentTests {
    @Test func rendersTheGoldenEventsAsTheyWereAlwaysRendered() async throws {
        let rendered = try await GoldenEvents.read().map { EventDocument.json($0).text }
        let committed = try String(contentsOf: GoldenEvents.rendering, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
        #expect(rendered.count == committed.count)
        for (mine, golden) in zip(rendered, committed) { #expect(mine == golden) }
    }

    /// Writes the rendering of a new golden log, once: `SLUICE_WRITE_GOLDEN=1`.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["SLUICE_WRITE_GOLDEN"] != nil))
    func writesTheRenderingOfTheGoldenEvents() async throws {
        try #require(!FileManager.default.fileExists(atPath: GoldenEvents.rendering.path), "it is written already")
        let lines = try await GoldenEvents.read().map { EventDocument.json($0).text + "\n" }
        try lines.joined().write(to: GoldenEvents.rendering, atomically: true, encoding: .utf8)
    }

    @Test func isValidJSONForEveryTypeInEveryForm() async throws {
        for recorded in try await GoldenEvents.read() {
            for document in Self.forms(recorded) {
                let read = try JSONSerialization.jsonObject(with: Data(document.text.utf8))
                #expect(read is [String: Any])
                let value = try JSONValue(parsing: Array(document.text.utf8))
                #expect(value.text.value == value && !document.text.contains("\n"))
            }
        }
    }

    @Test func neverShowsDigestsOfKeysNorRecordedAnswers() async throws {
        var hidden = 0
        for recorded in try await GoldenEvents.read() {
            let secret: String
            switch recorded.event.payload {
            case .apiKeyCreated(let created): secret = created.digest
            case .answerRecorded(let answer):
                secret = "the first answer"
                try #require(answer.body.contains(secret))
            default: continue
            }
            hidden += 1
            for document in Self.forms(recorded) { #expect(!document.text.contains(secret)) }
        }
        #expect(hidden >= 2)
    }

    @Test func timelineEntriesHaveTheDocumentedMembersAndTheAliasesOnlyWhenAsked() throws {
        let recorded = Self.message(data: #"{"message":"hi \"there\"","n":1.50}"#)
        #expect(
            EventDocument.timelineEntry(recorded, in: .v1).text
                == #"{"event_id":"01938f2a-0000-7000-8000-000000000001","run_id":"01938f2a-0000-7000-8000-000000000002","#
                + #""seq":4,"type":"USER_MESSAGE","actor":"alice","payload_hash":"abc","#
                + #""data":{"message":"hi \"there\"","n":1.50},"timestamp":"2026-09-21T14:13:20.000001Z","#
                + #""source":"client","recorded_by":"ci"}"#)
        let aliased = try members(EventDocument.timelineEntry(recorded, in: .v1alpha))
        #expect(aliased["id"] as? String == "01938f2a-0000-7000-8000-000000000001")
        #expect(aliased["sequence"] as? Int == 4)
        #expect(aliased["created_at"] as? String == "2026-09-21T14:13:20.000001Z")
        #expect(aliased["message"] as? String == #"hi "there""#)
    }

    @Test func cloudEventsHaveTheRequiredAttributes() throws {
        let recorded = Self.message(data: "[1]")
        let entry = EventDocument.timelineEntry(recorded, in: .v1)
        let event = try members(EventDocument.cloudEvent(recorded, data: entry))
        #expect(event["specversion"] as? String == "1.0")
        #expect(event["id"] as? String == "01938f2a-0000-7000-8000-000000000001")
        #expect(event["source"] as? String == "/workspaces/default/runs/01938f2a-0000-7000-8000-000000000002")
        #expect(event["type"] as? String == "dev.sluice.run.event_added")
        #expect(event["subject"] as? String == "01938f2a-0000-7000-8000-000000000002")
        #expect(event["time"] as? String == "2026-09-21T14:13:20.000001Z")
        #expect(event["datacontenttype"] as? String == "application/json")
        #expect(event["sluiceposition"] as? String == "17")
        #expect(event["traceparent"] as? String == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        #expect((event["data"] as? [String: Any])?["seq"] as? Int == 4)
        // Attribute names are lower-case letters and digits (CloudEvents 1.0, "Naming Conventions").
        #expect(event.keys.allSatisfy { $0.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber) } })
    }

    private static func forms(_ recorded: RecordedEvent) -> [JSONText] {
        let plain = EventDocument.json(recorded)
        return [
            plain, EventDocument.timelineEntry(recorded, in: .v1),
            EventDocument.timelineEntry(recorded, in: .v1alpha),
            EventDocument.cloudEvent(recorded, data: plain),
        ]
    }

    private static func message(data: String) -> RecordedEvent {
        func id(_ low: UInt64) -> UUIDValue { UUIDValue(high: 0x0193_8f2a_0000_7000, low: 1 << 63 | low) }
        return RecordedEvent(
            position: Position(17),
            event: Event(
                id: EventID(id(1)), time: Timestamp(microseconds: 1_790_000_000_000_001), workspace: .default,
                stream: .run(RunID(id(2))), streamSequence: 6,
                actor: Actor(kind: .apiKey(APIKeyID(id(3))), name: "ci"),
                causation: Causation(index: 0, idempotency: nil),
                traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                timeline: TimelineMark(sequence: 4, serverDriven: false),
                payload: .runEventAdded(
                    RunEventAdded(
                        type: "USER_MESSAGE", actor: "alice", payloadHash: "abc", data: JSONText(verified: data)))))
    }

    private func members(_ document: JSONText) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(document.text.utf8)) as? [String: Any])
    }
}
