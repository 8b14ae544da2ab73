import Domain
import Testing

@Suite struct ApprovalRulesTests {
    @Test(arguments: [nil, "sha256:" + String(repeating: "cd", count: 32), "opaque"])
    func rejectsApprovalWhenPayloadHashDiffers(hash: String?) throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        let action = try scenario.block(run)
        let rejection = scenario.rejection(
            .approveAction(run: run, action: action, payloadHash: hash.map(PayloadHash.init), reason: nil))
        #expect(rejection?.code == .payloadHashMismatch)
        #expect(scenario.state.runs[run]?.status == .pausedApproval)
    }

    @Test func approvesWithBareHexForAPrefixedHash() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        let action = try scenario.block(run)
        try scenario.when(
            .approveAction(
                run: run, action: action, payloadHash: PayloadHash(String(repeating: "AB", count: 32)), reason: nil))
        #expect(scenario.state.runs[run]?.action(action)?.status == .approved)
    }

    @Test func opaqueHashEqualsItselfAlone() {
        #expect(PayloadHash("Abc").matches(PayloadHash("Abc")))
        #expect(!PayloadHash("Abc").matches(PayloadHash("abc")))
        #expect(!PayloadHash("sha256:12").matches(PayloadHash("12")))
    }

    @Test(arguments: 0..<64)
    func hashesThatDifferInOneDigitDoNotMatch(position: Int) {
        var digits = Array("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef".utf8)
        let hash = PayloadHash("sha256:" + String(decoding: digits, as: UTF8.self))
        digits[position] = digits[position] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
        let other = PayloadHash("sha256:" + String(decoding: digits, as: UTF8.self))
        #expect(!hash.matches(other) && !other.matches(hash))
    }

    @Test func aHashForAnActionWithoutOneApprovesNothing() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        let action = try scenario.block(run, hash: nil)
        let approve = Command.approveAction(run: run, action: action, payloadHash: PayloadHash("x"), reason: nil)
        #expect(scenario.rejection(approve)?.code == .payloadHashMismatch)
    }

    @Test(arguments: ["a,b", "a;b", "", "a\u{0}", "a\n", String(repeating: "a", count: 129)])
    func textsThatAreNoNameOfAGroup(name: String) {
        #expect(!GroupName.isValid(name))
    }

    @Test func aPartOfAHashDoesNotMatchIt() {
        let digits = String(repeating: "ab", count: 32)
        #expect(!PayloadHash(digits).matches(PayloadHash(String(digits.prefix(20)))))
        #expect(!PayloadHash(String(digits.dropLast())).matches(PayloadHash(digits)))
        #expect(!PayloadHash(digits).matches(PayloadHash(digits + "00")))
    }

    @Test func secondApprovalIsRefused() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        let action = try scenario.block(run, hash: nil)
        let approve = Command.approveAction(run: run, action: action, payloadHash: nil, reason: nil)
        try scenario.when(approve)
        #expect(scenario.rejection(approve)?.message == "action is APPROVED, must be BLOCKED to approve")
    }

    @Test func rejectionFailsTheRun() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        let action = try scenario.block(run)
        try scenario.when(.rejectAction(run: run, action: action, reason: "no"))
        #expect(scenario.state.runs[run] == nil)
        #expect(scenario.timeline == ["APPROVAL_REQUIRED", "REJECTED"])
    }

    @Test func actionExpiresOnlyWhenItsWindowHasPassed() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        let action = try scenario.block(run)
        #expect(scenario.rejection(.expireAction(run: run, action: action))?.code == .invalidArgument)
        scenario.advance(scenario.settings.approvalWindow)
        try scenario.when(.expireAction(run: run, action: action))
        #expect(scenario.state.runs[run] == nil)
    }

    /// The scheduler may be late: the end of the wait counts, not the record of it.
    @Test func nothingIsApprovedAfterTheEndOfItsWait() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        let action = try scenario.block(run, hash: nil)
        let approve = Command.approveAction(run: run, action: action, payloadHash: nil, reason: nil)
        scenario.advance(scenario.settings.approvalWindow)
        #expect(scenario.rejection(approve)?.code == .actionNotBlocked)
        try scenario.when(.rejectAction(run: run, action: action, reason: "late"))
        #expect(scenario.timeline == ["APPROVAL_REQUIRED", "REJECTED"])
    }

    @Test func pausedRunTakesNoSecondAction() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        _ = try scenario.block(run)
        let rejection = scenario.rejection(
            .blockAction(
                run: run, BlockAction(actionID: scenario.newID(), toolID: "t", capability: nil, payloadHash: nil)))
        #expect(rejection?.message == "run is PAUSED_APPROVAL, must be RUNNING to create actions")
    }
}

@Suite struct AccessRulesTests {
    private func request(_ scenario: inout Scenario, run: RunID? = nil) -> RequestAccess {
        RequestAccess(
            requestID: scenario.newID(), subject: "alice", toolID: "stripe", agentID: nil, duration: nil, runID: run,
            actionID: scenario.newID(), capability: nil, payloadHash: nil, method: nil, url: nil)
    }

    @Test(arguments: [false, true])
    func noRequestIsApprovedAfterTheEndOfItsWait(isOfRun: Bool) throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        let asked = request(&scenario, run: isOfRun ? run : nil)
        try scenario.when(.requestAccess(asked))
        let approve = Command.approveAccess(
            ApproveAccess(
                requestID: asked.requestID, scope: .agentUserTTL, duration: .seconds(3600), reason: nil,
                payloadHash: nil))
        scenario.advance(scenario.settings.approvalWindow)
        #expect(scenario.rejection(approve)?.code == .accessRequestNotPending)
    }

    @Test func samePendingRequestIsNotWrittenTwice() throws {
        var scenario = Scenario()
        try scenario.when(.requestAccess(request(&scenario)))
        #expect(try scenario.when(.requestAccess(request(&scenario))).isEmpty)
    }

    @Test func approvingARequestApprovesItsActionAndResumesTheRun() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        let asked = request(&scenario, run: run)
        try scenario.when(.requestAccess(asked))
        #expect(scenario.state.runs[run]?.status == .pausedApproval)
        try scenario.when(
            .approveAccess(
                ApproveAccess(requestID: asked.requestID, scope: nil, duration: nil, reason: nil, payloadHash: nil)))
        #expect(scenario.state.runs[run]?.action(asked.actionID)?.status == .approved)
        #expect(scenario.state.runs[run]?.status == .running)
    }

    @Test func approvingTheActionAlsoGrantsItsRequest() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        let asked = request(&scenario, run: run)
        try scenario.when(.requestAccess(asked))
        try scenario.when(.approveAction(run: run, action: asked.actionID, payloadHash: nil, reason: nil))
        #expect(scenario.state.accessRequests[asked.requestID]?.isPending == false)
    }

    @Test func rejectingARequestFailsItsRun() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        let asked = request(&scenario, run: run)
        try scenario.when(.requestAccess(asked))
        try scenario.when(.rejectAccess(request: asked.requestID, reason: "no"))
        #expect(scenario.state.runs[run] == nil)
        #expect(scenario.state.accessRequests.isEmpty)
    }

    @Test func grantEndsAfterItsDuration() throws {
        var scenario = Scenario()
        let asked = request(&scenario)
        try scenario.when(.requestAccess(asked))
        try scenario.when(
            .approveAccess(
                ApproveAccess(
                    requestID: asked.requestID, scope: .agentUserTTL, duration: .seconds(1800), reason: nil,
                    payloadHash: nil)))
        #expect(scenario.rejection(.expireAccess(request: asked.requestID))?.code == .invalidArgument)
        scenario.advance(.seconds(1800))
        try scenario.when(.expireAccess(request: asked.requestID))
        #expect(scenario.state.accessRequests.isEmpty)
    }

    @Test func cancelledRunExpiresItsPendingRequest() throws {
        var scenario = Scenario()
        let run = try scenario.createRun()
        let asked = request(&scenario, run: run)
        try scenario.when(.requestAccess(asked))
        try scenario.when(.failRun(run: run, reason: "cancelled"))
        #expect(scenario.state.accessRequests.isEmpty)
        let late = ApproveAccess(requestID: asked.requestID, scope: nil, duration: nil, reason: nil, payloadHash: nil)
        #expect(scenario.rejection(.approveAccess(late))?.code == .accessRequestNotActive)
    }
}
