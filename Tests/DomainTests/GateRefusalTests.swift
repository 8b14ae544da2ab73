import Domain
import Testing

/// Calls that look as if they were approved, and are not.
@Suite struct GateRefusalTests {
    private typealias Gate = GateScenario

    private var gate: Gate

    init() throws { gate = try Gate() }

    @Test mutating func anApprovalThatOtherBytesEndedIsNoneForItsOwnBytes() throws {
        let blocked = try gate.blocked(gate.call(body: 1), Gate.plain)
        let request = try #require(blocked.accessRequestID)
        #expect(gate.approve(request, as: try gate.member(""), .once) == nil)
        #expect(try gate.begin(gate.call(body: 2), Gate.plain) == .mismatched)
        #expect(try gate.begin(gate.call(body: 1), Gate.plain) == .blocked)
    }

    @Test mutating func aGrantDoesNotCoverTheRepetitionOfACallOfUnknownOutcome() throws {
        let grant = try gate.grant(Gate.plain, .agentUserTTL)
        #expect(try gate.begin(gate.call(body: 1), Gate.plain) == .started(nil, grant))
        try gate.finish(.unknown(error: "interrupted"))
        #expect(try gate.begin(gate.call(body: 1), Gate.plain) == .blocked)
    }

    @Test mutating func aPausedRunThatItsClientDrivesCallsNoTool() throws {
        _ = try gate.blocked(gate.call(body: 1), Gate.plain)
        let read = BeginToolCall(
            call: gate.call("GET", body: 2), agentID: "payments", tool: .example, requirement: nil)
        #expect(gate.scenario.rejection(.beginToolCall(run: gate.run, read))?.code == .runNotRunning)
    }
}
