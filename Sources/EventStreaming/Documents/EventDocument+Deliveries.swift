import Domain

/// Messages to approvers; the digests of their links stay out.
extension EventDocument {
    static func add(_ label: DeliveryLabel, to json: inout JSONObject) {
        json.add("delivery_id", label.id.description)
        json.add("connector_id", label.connector)
        json.add("connector_name", label.connectorName)
        json.add("run_id", label.subject.runID?.description)
        json.add("action_id", label.subject.actionID?.description)
        json.add("request_id", label.subject.requestID?.description)
    }

    static func add(_ started: DeliveryStarted, to json: inout JSONObject) {
        add(started.label, to: &json)
        json.add("purpose", started.purpose.text)
        json.add("attempt", started.attempt)
        json.add("link_expires_at", started.link?.expiresAt)
    }

    static func add(_ ended: DeliveryEnded, to json: inout JSONObject) {
        add(ended.label, to: &json)
        json.add("purpose", ended.purpose.text)
        json.add("attempt", ended.attempt)
        switch ended.outcome {
        case .delivered(let statusCode, let reference):
            json.add("status_code", statusCode)
            json.add("reference", reference)
        case .failed(let statusCode, let error, let retryAt):
            json.add("status_code", statusCode)
            json.add("error", error)
            json.add("retry_at", retryAt)
        }
        json.add("latency_us", UInt64(max(0, ended.latency / .microseconds(1))))
    }
}

extension DeliveryPurpose {
    fileprivate var text: String {
        switch self {
        case .ask: "ask"
        case .followUp: "follow_up"
        }
    }
}
