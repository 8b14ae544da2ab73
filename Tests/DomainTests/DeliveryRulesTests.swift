import Domain
import Testing

/// When messages to approvers are sent, and what the links in them may do.
@Suite struct DeliveryRulesTests {
    private var scenario = Scenario()
    private let run: RunID
    private let action: ActionID
    private static let hash = PayloadHash("sha256:" + String(repeating: "ab", count: 32))
    private static let digest = [UInt8](0...31)

    init() throws {
        var scenario = Scenario()
        try scenario.when(
            .storeResources(
                StoreResources(items: [
                    .init(
                        kind: .approvalConnector, name: "conn-1", newID: scenario.newID(),
                        document: JSONText(verified: "{}"))
                ])))
        run = try scenario.createRun()
        action = try scenario.block(run)
        self.scenario = scenario
    }

    private func label(_ number: UInt64 = 1) -> DeliveryLabel {
        DeliveryLabel(
            id: DeliveryID(UUIDValue(high: 1, low: number)), connector: "conn-1", connectorName: "ops",
            subject: .action(run, action, nil))
    }

    private func start(_ attempt: UInt32 = 1, _ purpose: DeliveryPurpose = .ask, number: UInt64 = 1) -> Command {
        .startDelivery(
            DeliveryStarted(
                label: label(number), purpose: purpose, attempt: attempt,
                link: DecisionLink(
                    digest: Self.digest, payloadHash: Self.hash, expiresAt: scenario.now.adding(.seconds(60)))))
    }

    private func end(
        _ attempt: UInt32, _ outcome: DeliveryEnded.Outcome, _ purpose: DeliveryPurpose = .ask
    ) -> Command {
        .endDelivery(
            DeliveryEnded(label: label(), purpose: purpose, attempt: attempt, outcome: outcome, latency: .zero))
    }

    private mutating func deliver(reference: String? = nil) throws {
        try scenario.when(start())
        try scenario.when(end(1, .delivered(statusCode: 200, reference: reference)))
    }

    private func decide(_ approves: Bool = true, hash: PayloadHash? = hash, digest: [UInt8] = digest) -> Command {
        .decideByLink(
            DecideByLink(
                deliveryID: label().id, digest: digest, approves: approves, payloadHash: hash, reason: nil))
    }

    private mutating func asLink(_ name: String = "ops") {
        scenario.actor = Actor(
            kind: .decisionLink(UsedLink(connectorName: name, deliveryID: label().id)), name: "connector \(name)")
    }

    private var status: ActionStatus? { scenario.state.runs[run]?.action(action)?.status }

    @Test mutating func anAttemptIsBegunOnceAndTheNextOnlyAfterAFailure() throws {
        try scenario.when(start())
        #expect(scenario.rejection(start())?.code == .deliveryNotExpected)
        #expect(scenario.rejection(start(2))?.code == .deliveryNotExpected)
        #expect(scenario.rejection(end(2, .delivered(statusCode: 200, reference: nil)))?.code == .deliveryNotExpected)
        try scenario.when(end(1, .failed(statusCode: 503, error: "x", retryAt: scenario.now)))
        #expect(scenario.rejection(start(1))?.code == .deliveryNotExpected)
        try scenario.when(start(2))
        try scenario.when(end(2, .delivered(statusCode: 200, reference: nil)))
        #expect(scenario.rejection(start(3))?.code == .deliveryNotExpected)
    }

    @Test mutating func nothingIsSentOfWhatIsDecided() throws {
        try scenario.when(.rejectAction(run: run, action: action, reason: nil))
        #expect(scenario.rejection(start())?.code == .deliveryNotExpected)
    }

    @Test mutating func whatCanBeFollowedUpIsRememberedUntilThatIsDone() throws {
        try deliver(reference: "OPS-1")
        #expect(scenario.rejection(start(1, .followUp))?.code == .deliveryNotExpected)
        try scenario.when(.approveAction(run: run, action: action, payloadHash: Self.hash, reason: nil))
        #expect(scenario.state.deliveries[label().id]?.needsFollowUp == true)
        try scenario.when(start(1, .followUp))
        try scenario.when(end(1, .failed(statusCode: 500, error: "x", retryAt: scenario.now), .followUp))
        try scenario.when(start(2, .followUp))
        try scenario.when(end(2, .delivered(statusCode: 200, reference: nil), .followUp))
        #expect(scenario.state.deliveries.count == 0)
    }

    @Test mutating func whatCannotBeFollowedUpIsForgottenWithTheDecision() throws {
        try deliver()
        try scenario.when(.approveAction(run: run, action: action, payloadHash: Self.hash, reason: nil))
        #expect(scenario.state.deliveries.count == 0)
    }

    @Test mutating func aMessageOnItsWayWhenItIsDecidedIsFollowedUpWhenItHasArrived() throws {
        try scenario.when(start())
        try scenario.when(.rejectAction(run: run, action: action, reason: nil))
        #expect(scenario.state.deliveries[label().id]?.needsFollowUp == false)
        try scenario.when(end(1, .delivered(statusCode: 200, reference: "OPS-1")))
        #expect(scenario.state.deliveries[label().id]?.needsFollowUp == true)
    }

    @Test mutating func aDeletedConnectorSendsNothingMore() throws {
        try scenario.when(start())
        try scenario.when(.deleteResource(kind: .approvalConnector, name: "conn-1"))
        #expect(scenario.state.deliveries.count == 0)
        #expect(
            scenario.rejection(end(1, .delivered(statusCode: 200, reference: nil)))?.code == .resourceNotFound)
    }

    @Test(arguments: [true, false]) mutating func aLinkDecidesOnce(approves: Bool) throws {
        try deliver(reference: "OPS-1")
        asLink()
        let events = try scenario.when(decide(approves))
        #expect(events.last?.payload.typeName == "decision_link.used")
        #expect(events.allSatisfy { $0.actor == scenario.actor })
        #expect(status == (approves ? .approved : nil), "a rejected run is over")
        #expect(scenario.rejection(decide(approves)) != nil)
    }

    @Test mutating func aLinkIsOfNoUseOnceSomebodyElseHasDecided() throws {
        try deliver(reference: "OPS-1")
        try scenario.when(.approveAction(run: run, action: action, payloadHash: Self.hash, reason: nil))
        asLink()
        #expect(scenario.rejection(decide(false))?.code == .decisionLinkClosed)
        #expect(status == .approved)
    }

    @Test mutating func anExpiredLinkDecidesNothing() throws {
        try deliver()
        scenario.advance(.seconds(60))
        asLink()
        #expect(scenario.rejection(decide())?.code == .decisionLinkExpired)
        #expect(status == .blocked)
    }

    @Test(arguments: [nil, PayloadHash("sha256:" + String(repeating: "cd", count: 32))])
    mutating func aLinkIsForThePayloadThatItsReaderSaw(hash: PayloadHash?) throws {
        try deliver()
        asLink()
        #expect(scenario.rejection(decide(hash: hash))?.code == .payloadHashMismatch)
        #expect(status == .blocked)
    }

    @Test mutating func anotherSecretIsNoLink() throws {
        try deliver()
        asLink()
        #expect(scenario.rejection(decide(digest: [UInt8](1...32)))?.code == .decisionLinkUnknown)
        #expect(scenario.rejection(decide(digest: []))?.code == .decisionLinkUnknown)
        scenario.workspace = WorkspaceName("other") ?? .default
        #expect(scenario.rejection(decide())?.code == .decisionLinkUnknown)
    }

    @Test mutating func aMessageWithoutALinkDecidesNothing() throws {
        try scenario.when(.startDelivery(DeliveryStarted(label: label(), purpose: .ask, attempt: 1, link: nil)))
        asLink()
        #expect(scenario.rejection(decide())?.code == .decisionLinkUnknown)
    }

    @Test(arguments: [
        (["finance"], false), (["connector:ops"], true), (["connector:other", "finance"], false),
        (["connector:ops", "finance"], true),
    ])
    mutating func aLinkStandsForItsConnectorsGroupAlone(groups: [String], mayDecide: Bool) throws {
        let call = ToolCall(
            id: scenario.newID(), toolID: "bank", capability: nil, method: "POST", url: "https://bank/",
            payloadHash: Self.hash, fingerprint: UUIDValue(high: 0, low: 1), isRepeatable: false)
        let blocked: ActionID = scenario.newID()
        let other = try scenario.createRun()
        try scenario.when(
            .beginToolCall(
                run: other,
                BeginToolCall(
                    call: call, agentID: "payments", tool: .example,
                    requirement: RequiredApproval(
                        name: "", groups: groups, needsEveryGroup: false, duration: nil),
                    block: BlockToolCall(
                        actionID: blocked, requestID: scenario.newID(), reason: "", headers: JSONText(verified: "{}"),
                        payload: nil))))
        let request = scenario.state.runs[other]?.action(blocked)?.accessRequestID
        let label = DeliveryLabel(
            id: label(9).id, connector: "conn-1", connectorName: "ops", subject: .action(other, blocked, request))
        try scenario.when(
            .startDelivery(
                DeliveryStarted(
                    label: label, purpose: .ask, attempt: 1,
                    link: DecisionLink(
                        digest: Self.digest, payloadHash: Self.hash, expiresAt: scenario.now.adding(.seconds(60))))))
        asLink()
        let refused = scenario.rejection(
            .decideByLink(
                DecideByLink(
                    deliveryID: label.id, digest: Self.digest, approves: true, payloadHash: Self.hash, reason: nil)))
        #expect(refused?.code == (mayDecide ? nil : .notAnApprover))
        #expect((scenario.state.runs[other]?.action(blocked)?.status == .approved) == mayDecide)
    }
}
