import Domain
import EventStreaming
import Gateways
import Governance
import HTTPTypes
import Projections

/// What a policy would have meant for the calls of tools that are recorded.
extension APIHandlers {
    private static let examplesDefault = 5
    private static let examplesMax = 100
    private static let sinceDefault = "30d"

    /// Judges every recorded call as the gate did then, would today, and would with the proposed policy.
    func backtestPolicy(_ request: APIRequest) async throws -> APIAnswer {
        let body = request.body
        guard let document = try body.object("policy") else { throw APIError.badRequest("policy is required") }
        let name = try document.requiredText("name")
        guard let spec = try document.object("spec") else { throw APIError.badRequest("policy.spec is required") }
        let policy: Policy
        do throws(InvalidDocument) {
            policy = try Policy(spec: spec)
        } catch {
            throw APIError.badRequest("policy.\(error.message)")
        }
        let warnings = try request.policyWarnings(spec)
        let proposal = PolicyBacktester.Proposal(
            name: name, policy: policy, agents: Set(try body.texts("agents") ?? []),
            examplesMax: try body.integer("examples", in: 0...Self.examplesMax) ?? Self.examplesDefault,
            caller: request.principal.agent)
        let since = try await position(since: try body.text("since") ?? Self.sinceDefault)
        guard let place = try? backtests.take(for: request.principal.caller) else {
            throw APIError(
                .tooManyRequests, .tooManyRequests, "another backtest is running; try again in a moment"
            ).retryAfter(seconds: 2)
        }
        defer { withExtendedLifetime(place) {} }
        let report = try await dependencies.backtester.run(proposal, after: since, in: request.workspace)
        return APIAnswer(.ok, report.json(name, warnings: warnings))
    }

    /// The last position before a time, or before so long ago; a position counts itself.
    private func position(since text: String) async throws -> Position {
        let history = dependencies.history
        if let position = UInt64(text) {
            guard position > 0 else { throw APIError.badRequest("since must be a position from 1 on") }
            return Position(position - 1)
        }
        let time = Timestamp(rfc3339: text) ?? DurationText.parse(text).map { now.adding($0 * -1) }
        guard let time else {
            throw APIError.badRequest(
                "since must be a duration such as 30d, an RFC 3339 time, or a position")
        }
        return try await history.position(at: time.adding(.microseconds(-1)))
    }
}

extension PolicyBacktester.Report {
    fileprivate func json(_ name: String, warnings: [String]) -> JSONText {
        let tallies = backtest.tallies.sorted { $0.key < $1.key }
        func count(_ condition: (BacktestOutcome) -> Bool) -> UInt64 {
            tallies.reduce(0) { condition($1.key) ? $0 + $1.value.count : $0 }
        }
        return .object { json in
            json.add("policy", name)
            if !warnings.isEmpty { json.add("warnings", warnings) }
            json.add("bound_agents", backtest.boundAgents)
            json.add("from_position", from.value)
            json.add("to_position", through.value)
            json.add("calls", backtest.callCount)
            json.add("not_judged", unreadableCount)
            json.add("differ_from_then", count { $0.then != $0.proposed })
            json.add("differ_from_today", count { $0.today != $0.proposed })
            json.add("outcomes", tallies.map { $0.value.json($0.key) })
            json.add("elapsed_ms", UInt64(max(0, duration / .milliseconds(1))))
        }
    }
}

extension BacktestTally {
    fileprivate func json(_ outcome: BacktestOutcome) -> JSONText {
        .object { json in
            json.add("then", outcome.then.rawValue)
            json.add("today", outcome.today.rawValue)
            json.add("proposed", outcome.proposed.rawValue)
            json.add("calls", count)
            json.add("examples", examples.map(\.json))
        }
    }
}

extension BacktestExample {
    fileprivate var json: JSONText {
        .object { json in
            json.add("position", position.value)
            json.add("run_id", runID.description)
            json.add("agent", call.agent)
            json.add("tool", call.tool)
            json.add("method", call.method)
            switch call.address {
            case .url(let url): json.add("url", url)
            case .belowBase(let path): json.add("path", path)
            }
            json.add("reason", reason)
        }
    }
}
