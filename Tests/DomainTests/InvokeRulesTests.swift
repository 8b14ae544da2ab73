import Domain
import Testing

@Suite struct InvokeRulesTests {
    private func requested(_ purpose: InvokePurpose = .start, attempt: UInt32 = 1) -> InvokeRequested {
        InvokeRequested(purpose: purpose, attempt: attempt, requestID: "req-1")
    }

    private func completed(
        _ purpose: InvokePurpose = .start, attempt: UInt32 = 1, _ outcome: InvokeOutcome = .finished
    ) -> InvokeCompleted {
        InvokeCompleted(purpose: purpose, attempt: attempt, statusCode: 200, response: nil, outcome: outcome)
    }

    @Test func runCompletesWhenTheAgentFinishes() throws {
        var scenario = Scenario()
        let run = try scenario.createRun(invokeURL: "http://agent/invoke")
        try scenario.when(.requestInvoke(run: run, requested()))
        try scenario.when(.completeInvoke(run: run, completed()))
        #expect(scenario.state.runs.isEmpty)
        #expect(scenario.timeline == ["RUN_CREATED", "INVOKE_REQUESTED", "INVOKE_COMPLETED", "COMPLETED"])
    }

    @Test func onlyOneInvokeIsInFlight() throws {
        var scenario = Scenario()
        let run = try scenario.createRun(invokeURL: "http://agent/invoke")
        try scenario.when(.requestInvoke(run: run, requested()))
        #expect(scenario.rejection(.requestInvoke(run: run, requested()))?.code == .invokeNotExpected)
        #expect(scenario.rejection(.completeInvoke(run: run, completed(attempt: 2)))?.code == .invokeNotExpected)
    }

    @Test func clientDrivenRunIsNeverInvoked() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        #expect(scenario.rejection(.requestInvoke(run: run, requested()))?.code == .invokeNotExpected)
    }

    @Test func approvedActionIsExecutedByItsResume() throws {
        var scenario = Scenario()
        let run = try scenario.createRun(invokeURL: "http://agent/invoke")
        try scenario.when(.requestInvoke(run: run, requested()))
        let action = try scenario.block(run, hash: nil)
        try scenario.when(.completeInvoke(run: run, completed(.start, .awaitingApproval)))
        #expect(scenario.rejection(.requestInvoke(run: run, requested(.resume(action))))?.code == .invokeNotExpected)
        try scenario.when(.approveAction(run: run, action: action, payloadHash: nil, reason: nil))
        try scenario.when(.requestInvoke(run: run, requested(.resume(action))))
        try scenario.when(.completeInvoke(run: run, completed(.resume(action))))
        #expect(
            scenario.timeline == [
                "RUN_CREATED", "INVOKE_REQUESTED", "APPROVAL_REQUIRED", "INVOKE_COMPLETED", "APPROVAL_GRANTED",
                "RESUMED", "INVOKE_REQUESTED", "INVOKE_COMPLETED", "COMPLETED",
            ])
        #expect(scenario.history.contains { $0.payload == .actionExecuted(ActionExecuted(actionID: action)) })
    }

    @Test func approvalBeforeTheTurnEndsKeepsTheRunGoing() throws {
        var scenario = Scenario()
        let run = try scenario.createRun(invokeURL: "http://agent/invoke")
        try scenario.when(.requestInvoke(run: run, requested()))
        let action = try scenario.block(run, hash: nil)
        try scenario.when(.approveAction(run: run, action: action, payloadHash: nil, reason: nil))
        try scenario.when(.completeInvoke(run: run, completed(.start, .awaitingApproval)))
        #expect(scenario.state.runs[run]?.status == .running)
        try scenario.when(.requestInvoke(run: run, requested(.resume(action))))
    }

    @Test func agentThatWaitsForAnUnrecordedApprovalFailsTheRun() throws {
        var scenario = Scenario()
        let run = try scenario.createRun(invokeURL: "http://agent/invoke")
        try scenario.when(.requestInvoke(run: run, requested()))
        try scenario.when(.completeInvoke(run: run, completed(.start, .awaitingApproval)))
        #expect(scenario.state.runs.isEmpty)
        #expect(scenario.timeline.last == "FAILED")
    }
}
