import Domain

/// Calls of tools; what was sent and answered is sealed, and stays out.
extension EventDocument {
    static func add(_ call: ToolCall, to json: inout JSONObject) {
        json.add("call_id", call.id.description)
        json.add("tool_id", call.toolID)
        json.add("capability", call.capability)
        json.add("tool_method", call.method)
        json.add("tool_url", call.url)
        json.add("payload_hash", call.payloadHash.text)
        json.add("headers_hash", call.headersHash?.text)
        json.add("action_id", call.actionID?.description)
        json.add("grant_id", call.grantID?.description)
    }

    static func add(_ called: ToolCalled, to json: inout JSONObject) {
        add(called.call, to: &json)
        json.add("status_code", called.outcome.statusCode)
        switch called.outcome {
        case .answered: break
        case .unreached(_, let error): json.add("error", error)
        case .unknown(let error):
            json.add("error", error)
            json.add("outcome", "unknown")
        }
        json.add("latency_us", UInt64(max(0, called.latency / .microseconds(1))))
        json.add("response_bytes", called.answerBytes)
    }
}
