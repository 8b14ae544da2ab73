import Domain
import EventLog
import Execution
import Gateways
import Governance
import HTTPAPI
package import Logging
import Projections
import Scheduling

/// The settings, checked and in the shape the rooms take them.
package struct DaemonConfiguration: Sendable {
    let dataDirectory: String
    let adminKey: String?
    package let logLevel: Logger.Level
    let heartbeat: Duration
    let drainTimeout: Duration
    /// The smallest change of the wall clock that is a step.
    let clockStepMin: Duration
    /// The time between two looks at memory that can be given back; `nil` to keep it.
    let memoryTrimInterval: Duration?
    let payloadRetention: Duration
    /// How long finished runs are kept; `nil` for ever.
    let runRetention: Duration?
    /// Where people's browsers reach this server, without a slash at its end.
    let publicURL: String
    let secrets: SecretsConfiguration
    /// True to start although keys are lost that the log needs.
    package var acceptsKeyLoss = false
    let audit: AuditConfiguration
    let addresses: AddressRule
    var log = EventLog.Configuration()
    var decisions = DecisionSettings()
    var scheduler = SchedulerConfiguration()
    var executor = ExecutorConfiguration()
    var egress = EgressConfiguration()
    var llm = LLMConfiguration()
    var agents = AgentsConfiguration()
    var http = HTTPAPIConfiguration()
    var history = PastReadModelsConfiguration()

    package init(_ settings: Settings) throws(DaemonError) {
        dataDirectory = settings.text(.dataDirectory)
        adminKey = settings.text(.apiKey).isEmpty ? nil : settings.text(.apiKey)
        secrets = try SecretsConfiguration(settings)
        audit = try AuditConfiguration(settings)
        addresses = try Self.addresses(settings)
        guard let level = Logger.Level(rawValue: settings.text(.logLevel)) else {
            throw settings.invalid(.logLevel, "one of trace, debug, info, notice, warning, error, critical")
        }
        logLevel = level
        heartbeat = try settings.duration(.heartbeat)
        drainTimeout = try settings.duration(.drainTimeout)
        clockStepMin = try settings.duration(.clockStepMin)
        memoryTrimInterval = try Self.duration(.memoryTrimInterval, or: "never", such: "1m", settings)
        payloadRetention = try settings.duration(.payloadRetention)
        runRetention = try Self.duration(.runRetention, or: "forever", such: "90d", settings)
        http.basePath = try Self.basePath(settings)
        http.corsOrigins = try Self.corsOrigins(settings)
        publicURL = try Self.publicURL(settings, under: http.basePath)
        log.segmentBytesMax = UInt64(try settings.integer(.segmentBytesMax, in: 65_536...4_294_967_296))
        decisions.runTimeout = try settings.duration(.runTimeout)
        decisions.approvalWindow = try settings.duration(.approvalWindow)
        decisions.grantDurationMax = try settings.duration(.grantDurationMax)
        decisions.allowsSelfApproval = try settings.flag(.selfApproval)
        egress.timeout = try settings.duration(.egressTimeout)
        egress.callsMax = try settings.integer(.egressCallsMax, in: 1...100_000)
        llm.timeout = try settings.duration(.llmTimeout)
        llm.heartbeat = heartbeat
        llm.callsMax = try settings.integer(.llmCallsMax, in: 1...100_000)
        llm.journalsAnswers = try settings.flag(.journalModelCalls)
        llm.journaledAnswerBytesMax = try settings.integer(.journalModelAnswerMax, in: 0...8_388_608)
        executor.invokeTimeout = try settings.duration(.invokeTimeout)
        scheduler.invokeAttemptsMax = UInt32(try settings.integer(.invokeAttemptsMax, in: 1...100))
        scheduler.backoffMin = try settings.duration(.invokeBackoffMin)
        scheduler.backoffMax = try settings.duration(.invokeBackoffMax)
        guard scheduler.backoffMin <= scheduler.backoffMax else {
            throw settings.invalid(
                .invokeBackoffMin, "at most invoke-backoff-max, which is \(settings.text(.invokeBackoffMax))")
        }
        scheduler.agentConcurrencyMax = try settings.integer(.agentConcurrency, in: 1...10_000)
        agents = try AgentsConfiguration(settings)
        http.agentConnectionsMax = agents.connectionsMax
        http.bodyBytesMax = try settings.integer(.bodyBytesMax, in: 1024...4_194_304)
        http.bodyTimeout = try settings.duration(.bodyTimeout)
        http.answerTimeout = try settings.duration(.answerTimeout)
        http.headTimeout = try settings.duration(.headTimeout)
        http.idleTimeout = try settings.duration(.idleTimeout)
        http.connectionsMax = try settings.integer(.connectionsMax, in: 1...1_000_000)
        let share = try settings.integer(.principalShare, in: 1...100)
        (http.principalSharePercent, egress.agentSharePercent, llm.agentSharePercent) = (share, share, share)
        decisions.limits.sharePercent = share
        decisions.limits.idempotencyKeysMax = try settings.integer(.idempotencyKeysMax, in: 1...100_000_000)
        decisions.limits.idempotencyRetention = try settings.duration(.idempotencyRetention)
        decisions.limits.activeRunsMax = try settings.integer(.unfinishedRunsMax, in: 1...10_000_000)
        decisions.limits.peopleMax = try settings.integer(.peopleMax, in: 1...1_000_000_000)
        decisions.limits.unfinishedBytesMax = try settings.integer(
            .unfinishedBytesMax, in: 1_048_576...1_099_511_627_776)
        decisions.limits.recordedBytesPerRunMax = UInt64(
            try settings.integer(.runBytesMax, in: 1_048_576...1_099_511_627_776))
        http.streamsMax = try settings.integer(.streamsMax, in: 1...1_000_000)
        http.listsMax = try settings.integer(.listsMax, in: 1...1_000_000)
        http.responseBytesMax = try settings.integer(.responseBytesMax, in: 1_048_576...1_099_511_627_776)
        history.bytesMax = try settings.integer(.historyBytesMax, in: 1_048_576...1_099_511_627_776)
        history.interval = UInt64(try settings.integer(.historyInterval, in: 100...1_000_000_000))
        http.rateLimitPerSecond = try settings.integer(.rateLimit, in: 0...1_000_000)
        http.rateLimitBurst = try settings.integer(.rateBurst, in: 1...1_000_000)
        http.invokeTimeout = executor.invokeTimeout
        http.version = SluiceVersion.text
        http.appendStallTimeout = try settings.duration(.appendStallTimeout)
        (http.host, http.port) = try Self.address(settings)
        try setRunLimits(settings)
    }

    private mutating func setRunLimits(_ settings: Settings) throws(DaemonError) {
        let counts = 1...RunLimitOverrides.countMax
        decisions.runLimits.toolCalls = try settings.integer(.runToolCallsMax, in: counts)
        decisions.runLimits.modelCalls = try settings.integer(.runModelCallsMax, in: counts)
        decisions.runLimits.repeats = try settings.integer(.runRepeatsMax, in: counts)
        guard let cost = MicroUSD(dollars: settings.text(.runModelCostMax), max: AgentModels.budgetMax), cost > .zero
        else { throw settings.invalid(.runModelCostMax, "an amount of US dollars, such as 20 or 0.5") }
        decisions.runLimits.modelCost = cost
        // The writer's memory of a run has room for all that an agent's own limits may allow.
        decisions.limits.toolCallsPerRunMax = RunLimitOverrides.countMax
        decisions.limits.modelCallsPerRunMax = RunLimitOverrides.countMax
    }

    private static func addresses(_ settings: Settings) throws(DaemonError) -> AddressRule {
        var blocks: [AddressBlock] = []
        for text in settings.text(.outboundAllow).split(whereSeparator: { $0 == "," || $0 == " " }) {
            guard let block = AddressBlock(text) else {
                throw settings.invalid(
                    .outboundAllow, "addresses and CIDR blocks such as 10.0.0.0/8, with commas between them")
            }
            blocks.append(block)
        }
        return AddressRule(allowed: blocks)
    }

    /// A duration of at least a second; `nil` for the word that stands for none.
    private static func duration(
        _ key: SettingKey, or none: String, such example: String, _ settings: Settings
    ) throws(DaemonError) -> Duration? {
        let text = settings.text(key)
        if text == none { return nil }
        guard let duration = DurationText.parse(text), duration >= .seconds(1) else {
            throw settings.invalid(key, "\(none), or a duration of at least 1s such as \(example)")
        }
        return duration
    }

    private static func publicURL(_ settings: Settings, under basePath: String) throws(DaemonError) -> String {
        var text = settings.text(.publicURL)[...]
        guard !text.isEmpty else { return "http://" + settings.text(.listen) + basePath }
        while text.hasSuffix("/") { text.removeLast() }
        guard text.hasPrefix("https://") || text.hasPrefix("http://"), !text.contains(where: { "?# ".contains($0) })
        else { throw settings.invalid(.publicURL, "an http or https URL") }
        return String(text) + (text.hasSuffix(basePath) ? "" : basePath)
    }

    private static func basePath(_ settings: Settings) throws(DaemonError) -> String {
        var text = settings.text(.basePath)[...]
        while text.hasSuffix("/") { text.removeLast() }
        let isPath = text.utf8.allSatisfy { byte in
            UInt8(ascii: "/") == byte || (0x30...0x39).contains(byte) || "-._~".utf8.contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard text.isEmpty || text.hasPrefix("/"), isPath, !parts.contains(where: { ["", ".", ".."].contains($0) })
        else { throw settings.invalid(.basePath, "a path such as /sluice") }
        return String(text)
    }

    private static func corsOrigins(_ settings: Settings) throws(DaemonError) -> Set<String> {
        var origins: Set<String> = []
        for text in settings.text(.corsAllowOrigin).split(whereSeparator: { $0 == "," || $0 == " " }) {
            let schemes = ["https://", "http://"].filter { text.hasPrefix($0) }
            let host = text.dropFirst(schemes.first?.utf8.count ?? text.utf8.count)
            guard text == "*" || !host.isEmpty && !host.contains("/") else {
                throw settings.invalid(
                    .corsAllowOrigin, "origins such as https://console.example.com, with commas between them, or *")
            }
            origins.insert(text.lowercased())
        }
        return origins
    }

    private static func address(_ settings: Settings) throws(DaemonError) -> (String, Int) {
        let text = settings.text(.listen)
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port), colon > text.startIndex
        else { throw settings.invalid(.listen, "HOST:PORT") }
        let host = text[..<colon]
        guard host.contains(":") else { return (String(host), port) }
        guard host.hasPrefix("["), host.hasSuffix("]") else {
            throw settings.invalid(.listen, "HOST:PORT, with an IPv6 address in brackets such as [::1]:8092")
        }
        return (String(host.dropFirst().dropLast()), port)
    }
}
