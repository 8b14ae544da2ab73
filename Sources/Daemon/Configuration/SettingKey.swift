/// Everything an operator may set: as `--key`, `SLUICE_KEY`, or `"key"` in the file.
package enum SettingKey: String, CaseIterable, Sendable {
    case dataDirectory = "data-dir"
    case listen
    case apiKey = "api-key"
    case masterKey = "master-key"
    case masterKeyFile = "master-key-file"
    case logLevel = "log-level"
    case segmentBytesMax = "segment-bytes-max"
    case runTimeout = "run-timeout"
    case approvalWindow = "approval-window"
    case invokeTimeout = "invoke-timeout"
    case invokeAttemptsMax = "invoke-attempts-max"
    case invokeBackoffMin = "invoke-backoff-min"
    case invokeBackoffMax = "invoke-backoff-max"
    case agentConcurrency = "agent-concurrency"
    case bodyBytesMax = "body-bytes-max"
    case bodyTimeout = "body-timeout"
    case idleTimeout = "idle-timeout"
    case answerTimeout = "answer-timeout"
    case connectionsMax = "connections-max"
    case streamsMax = "streams-max"
    case rateLimit = "rate-limit"
    case rateBurst = "rate-burst"
    case heartbeat
    case drainTimeout = "drain-timeout"

    package var defaultText: String {
        switch self {
        case .dataDirectory: "sluice-data"
        case .listen: "127.0.0.1:8092"
        case .apiKey, .masterKey, .masterKeyFile: ""
        case .logLevel: "info"
        case .segmentBytesMax: "67108864"
        case .runTimeout: "7d"
        case .approvalWindow: "1d"
        case .invokeTimeout: "5m"
        case .invokeAttemptsMax: "5"
        case .invokeBackoffMin: "1s"
        case .invokeBackoffMax: "1m"
        case .agentConcurrency: "8"
        case .bodyBytesMax: "1048576"
        case .bodyTimeout: "1m"
        case .idleTimeout: "1m"
        case .answerTimeout: "1m"
        case .connectionsMax: "4096"
        case .streamsMax: "1024"
        case .rateLimit: "0"
        case .rateBurst: "100"
        case .heartbeat: "15s"
        case .drainTimeout: "10s"
        }
    }

    var isSecret: Bool { self == .apiKey || self == .masterKey }
}
