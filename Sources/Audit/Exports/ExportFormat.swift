package import Domain
import EventStreaming

/// How an export is written.
package enum ExportFormat: String, Hashable, Sendable, CaseIterable {
    /// One document.
    case json
    /// A line an event, after one with the checkpoint.
    case ndjson
    /// Lines of CloudEvents 1.0.
    case cloudEvents = "cloudevents"
    /// Lines for Splunk's HTTP Event Collector.
    case splunkHEC = "splunk-hec"
    /// Lines of the Open Cybersecurity Schema Framework, 1.3: API Activity.
    case ocsf

    /// The name of the form of events that the format writes as lines; `nil` for Sluice's own.
    package var schema: String? {
        switch self {
        case .json, .ndjson: nil
        case .cloudEvents: "cloudevents"
        case .splunkHEC: "splunk_hec"
        case .ocsf: "ocsf"
        }
    }

    /// - Parameter schema: The name of a form of events, with `_` or `-`.
    package init?(schema: String) {
        let name = schema.replacing("-", with: "_")
        guard let format = Self.allCases.first(where: { $0.schema == name }) else { return nil }
        self = format
    }

    package var contentType: String { self == .json ? "application/json" : "application/x-ndjson" }

    func beginning(_ head: ExportHead) -> String {
        switch self {
        case .json:
            var text = head.json.text
            text.removeLast()
            return text + ",\"events\":[\n"
        case .ndjson: return head.json.text + "\n"
        case .cloudEvents:
            let event = JSONText.object { json in
                json.add("specversion", "1.0")
                json.add("id", "\(head.checkpoint.size)-\(head.checkpoint.root.hexText)")
                json.add("source", head.runID.map { "/runs/\($0)" } ?? "/")
                json.add("type", "dev.sluice.AuditCheckpoint")
                json.add("datacontenttype", "application/json")
                json.add("data", head.json)
            }
            return event.text + "\n"
        case .splunkHEC:
            return JSONText.object { json in
                json.add("host", head.checkpoint.origin)
                json.add("source", "sluice")
                json.add("sourcetype", "sluice:checkpoint")
                json.add("event", head.json)
            }.text + "\n"
        case .ocsf:
            // The schema's base event: it is of no other class.
            return JSONText.object { json in
                json.add("class_uid", 0)
                json.add("class_name", "Base Event")
                json.add("category_uid", 0)
                json.add("activity_id", 99)
                json.add("activity_name", "Checkpoint")
                json.add("type_uid", 99)
                json.add("severity_id", 1)
                json.add("metadata", Self.metadata(uid: head.checkpoint.root.hexText))
                json.add("unmapped", head.json)
            }.text + "\n"
        }
    }

    func line(_ event: ProvenEvent, _ head: ExportHead, isFirst: Bool) -> String {
        let recorded = event.recorded
        switch self {
        case .json: return (isFirst ? "" : ",\n") + event.json.text
        case .ndjson: return event.json.text + "\n"
        case .cloudEvents: return EventDocument.cloudEvent(recorded, data: event.json).text + "\n"
        case .splunkHEC:
            return JSONText.object { json in
                json.add("time", JSONText(verified: recorded.event.time.epochSeconds))
                json.add("host", head.checkpoint.origin)
                json.add("source", "sluice")
                json.add("sourcetype", "sluice:event")
                json.add("event", event.json)
            }.text + "\n"
        case .ocsf: return Self.activity(event, head).text + "\n"
        }
    }

    var ending: String { self == .json ? "\n]}\n" : "" }

    /// API Activity, class 6003.
    private static func activity(_ event: ProvenEvent, _ head: ExportHead) -> JSONText {
        let recorded = event.recorded.event
        let status = OCSFStatus(recorded.payload)
        return .object { json in
            json.add("class_uid", 6003)
            json.add("class_name", "API Activity")
            json.add("category_uid", 6)
            json.add("category_name", "Application Activity")
            json.add("activity_id", 99)
            json.add("activity_name", recorded.payload.typeName)
            json.add("type_uid", 600_399)
            json.add("time", recorded.time.microseconds / 1000)
            json.add("severity_id", status.severity)
            json.add("status_id", status.id)
            json.add("metadata", metadata(uid: recorded.id.description))
            json.add("actor", .object { $0.add("user", .object { $0.add("name", recorded.actor.name) }) })
            json.add("api", .object { $0.add("operation", recorded.payload.typeName) })
            json.add("src_endpoint", .object { $0.add("svc_name", head.checkpoint.origin) })
            json.add("unmapped", event.json)
        }
    }

    private static func metadata(uid: String) -> JSONText {
        .object { json in
            json.add("version", "1.3.0")
            json.add("uid", uid)
            json.add(
                "product",
                .object { json in
                    json.add("name", "Sluice")
                    json.add("vendor_name", "Sluice")
                })
        }
    }
}

/// How the schema rates an event: 1 is a success, 2 a failure.
private struct OCSFStatus {
    let id: Int
    /// 1 informational, 3 medium, 4 high.
    let severity: Int

    init(_ payload: EventPayload) {
        (id, severity) =
            switch payload {
            case .payloadMismatched: (2, 4)
            case .toolCallRefused, .actionRejected, .accessRejected: (2, 3)
            case .invokeFailed, .actionFailed, .actionExpired, .accessExpired, .toolCallInterrupted: (2, 3)
            default: (1, 1)
            }
    }
}

extension Timestamp {
    /// Seconds since 1970, to the microsecond.
    fileprivate var epochSeconds: String {
        let fraction = String(microseconds % 1_000_000)
        return "\(microseconds / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
    }
}
