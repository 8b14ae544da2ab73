import Domain

/// Events of every type, with and without what may be left out.
enum EventSamples {
    static let all: [Event] = payloads.enumerated().map { index, payload in
        let number = UInt64(index + 1)
        return Event(
            id: EventID(uuid(number)), time: Timestamp(microseconds: 1_790_000_000_123_456 + Int64(index) * 1_000_003),
            workspace: index % 3 == 0 ? workspace : .default, stream: stream(of: payload),
            streamSequence: number, actor: actors[index % actors.count],
            causation: Causation(
                index: UInt32(index % 4),
                idempotency: index % 5 == 0
                    ? IdempotencyToken(key: "order-\(index)", fingerprint: uuid(900 + number)) : nil),
            traceparent: index % 7 == 0 ? "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" : nil,
            timeline: payload.timelineType(serverDriven: index % 2 == 0).map { _ in
                TimelineMark(sequence: number, serverDriven: index % 2 == 0)
            },
            payload: payload)
    }

    static func uuid(_ number: UInt64) -> UUIDValue {
        UUIDValue(high: 0x0193_8f2a_7b5c_7000 | number, low: 0x9c4e_0000_0000_0000 | number &* 0x1_0001)
    }

    /// A number for each type; the compiler asks for one when a type is added.
    static func ordinal(_ payload: EventPayload) -> Int {
        switch payload {
        case .resourceStored: 0
        case .resourceDeleted: 1
        case .resourceStatusRecorded: 2
        case .runCreated: 3
        case .runEventAdded: 4
        case .runStatusChanged: 5
        case .actionBlocked: 6
        case .actionApproved: 7
        case .actionRejected: 8
        case .actionExpired: 9
        case .actionExecuted: 10
        case .actionFailed: 11
        case .accessRequested: 12
        case .accessApproved: 13
        case .accessRejected: 14
        case .accessExpired: 15
        case .checkpointSaved: 16
        case .toolResultRecorded: 17
        case .invokeRequested: 18
        case .invokeCompleted: 19
        case .invokeFailed: 20
        case .apiKeyCreated: 21
        case .apiKeyRevoked: 22
        case .answerRecorded: 23
        case .toolCallStarted: 24
        case .toolCalled: 25
        case .toolCallReplayed: 26
        case .toolCallRefused: 27
        case .payloadMismatched: 28
        case .actionVoted: 29
        case .secretStored: 30
        case .secretDeleted: 31
        case .toolCallInterrupted: 32
        case .modelCalled: 33
        case .modelAnswerRecorded: 41
        case .modelCallReplayed: 42
        case .apiKeyRotated: 34
        case .sourcesAnalyzed: 35
        case .buildRequested: 36
        case .buildStarted: 37
        case .buildFinished: 38
        case .personErasureRequested: 39
        case .personErased: 40
        case .runExpired: 100
        case .keyLossAccepted: 101
        case .controlStopped: 110
        case .controlStarted: 111
        case .deliveryStarted: 80
        case .deliveryEnded: 81
        case .decisionLinkUsed: 82
        }
    }

    static let ordinals = Set(0...42).union(80...82).union([100, 101]).union(110...111)

    private static let workspace = WorkspaceName("payments-eu") ?? .default
    private static let actors = [
        Actor(kind: .apiKey(APIKeyID(uuid(801))), name: "ci"), .scheduler, .executor, .bootstrap,
        Actor(kind: .apiKey(APIKeyID(uuid(802))), name: "Zoë \"the\" approver\n"),
        Actor(
            kind: .person(Person(provider: "corp", subject: "00u1-é", address: "ada@corp.test")), name: "ada@corp.test"),
        Actor(
            kind: .decisionLink(UsedLink(connectorName: "ops", deliveryID: DeliveryID(uuid(712)))),
            name: "connector ops, link …"),
    ]
    private static let action = ActionID(uuid(701))
    private static let runID = RunID(uuid(702))
    private static let requestID = AccessRequestID(uuid(703))
    private static let hash = PayloadHash("sha256:" + String(repeating: "ab", count: 32))
    private static let document = JSONText(verified: #"{"amount":12.50,"to":"a \"b\" \u2028","list":[1,2,null,true]}"#)
    private static let soon = Timestamp(microseconds: 1_790_086_400_000_000)

    private static func stream(of payload: EventPayload) -> StreamID {
        switch payload {
        case .resourceStored(let event): .resource(event.kind, ResourceID(uuid(704)))
        case .resourceDeleted(let event): .resource(event.kind, ResourceID(uuid(704)))
        case .resourceStatusRecorded(let event): .resource(event.kind, ResourceID(uuid(704)))
        case .accessRequested, .accessApproved, .accessRejected, .accessExpired: .accessRequest(requestID)
        case .apiKeyCreated, .apiKeyRevoked, .apiKeyRotated: .apiKey(APIKeyID(uuid(801)))
        case .secretStored, .secretDeleted: .secret(SecretID(uuid(707)))
        case .sourcesAnalyzed: .analysis(AnalysisID(uuid(710)))
        case .buildRequested, .buildStarted, .buildFinished: .build(BuildID(uuid(711)))
        case .personErasureRequested, .personErased: .person(PersonID(uuid(713)))
        case .answerRecorded: StreamID(kind: .answer, id: uuid(705))
        case .deliveryStarted, .deliveryEnded, .decisionLinkUsed:
            .resource(.approvalConnector, ResourceID(uuid(704)))
        case .runExpired: .expiry(of: runID)
        case .keyLossAccepted: .keyLoss(uuid(721))
        case .controlStopped, .controlStarted: .control(ControlID(uuid(706)))
        default: .run(runID)
        }
    }

    private static let erasures: [EventPayload] = [
        .personErasureRequested(PersonErasureRequested(userID: "ada@corp.test")),
        .personErased(PersonErased(events: 7)),
        .keyLossAccepted(KeyLossAccepted(people: 8_000, secrets: 3, payloadDays: 0)),
    ]

    private static let payloads: [EventPayload] =
        resources + runs + actions + access + invokes + keys + calls + erasures
        + secrets + modelCalls + deliveries + ingestion + controls

    private static let resources: [EventPayload] =
        ResourceKind.allCases.map { kind in
            .resourceStored(ResourceStored(kind: kind, name: "\(kind.singular)-1", revision: 3, document: document))
        } + [
            .resourceStored(
                ResourceStored(kind: .agent, name: "a", revision: 7, document: document, restoredRevision: 4)),
            .resourceStatusRecorded(
                ResourceStatusRecorded(
                    kind: .agent, name: "a", phase: "Running", message: "ready", latencyMilliseconds: 0, revision: 7)),
            .resourceDeleted(ResourceDeleted(kind: .policy, name: "deny-all")),
            .resourceStatusRecorded(
                ResourceStatusRecorded(
                    kind: .tool, name: "echo", phase: "Available", message: "answered 200", latencyMilliseconds: 12)),
            .resourceStatusRecorded(
                ResourceStatusRecorded(
                    kind: .modelProvider, name: "m", phase: "Pending", message: nil, latencyMilliseconds: 0)),
        ]

    private static let runs: [EventPayload] =
        [
            .runCreated(
                RunCreated(
                    agentID: "payments", agentUID: ResourceID(uuid(704)), userID: "alice", conversationID: "c-1",
                    invokeURL: "http://127.0.0.1:9000/invoke", initialMessage: "pay 12.50 €",
                    input: JSONText(verified: #"{"history":[{"role":"user","content":"hi"}]}"#), deadline: soon,
                    user: Person(provider: "corp", subject: "00u2", address: "alice@corp.test"))),
            .runCreated(
                RunCreated(
                    agentID: "payments", agentUID: nil, userID: "7", conversationID: nil, invokeURL: nil,
                    initialMessage: nil, deadline: soon, user: Person(provider: "corp", subject: "7"))),
            .runCreated(
                RunCreated(
                    agentID: "payments", agentUID: nil, userID: "bob", conversationID: nil, invokeURL: nil,
                    initialMessage: nil, deadline: soon)),
            .runEventAdded(
                RunEventAdded(type: "TOOL_REQUEST", actor: "agent", payloadHash: hash.text, data: document)),
            .runEventAdded(RunEventAdded(type: "custom.type", actor: nil, payloadHash: nil, data: nil)),
            .runEventAdded(
                RunEventAdded(type: "NOTE", actor: "payments", payloadHash: nil, data: nil, agentID: "payments")),
            .runEventAdded(
                RunEventAdded(
                    type: "USER_MESSAGE", actor: "", payloadHash: "", data: JSONText(verified: #"{"message":"hi"}"#))),
            .checkpointSaved(
                CheckpointSaved(checkpointID: CheckpointID(uuid(706)), actionID: action.description, document: document)
            ),
            .toolResultRecorded(ToolResultRecorded(toolID: "echo", document: document)),
            .toolResultRecorded(ToolResultRecorded(toolID: nil, document: JSONText(verified: "null"))),
        ]
        + [RunStatus.running, .pausedApproval, .pausedConsent, .completed, .failed].map { status in
            .runStatusChanged(RunStatusChanged(status: status, reason: status == .failed ? "cancelled" : nil))
        }

    private static let actions: [EventPayload] = [
        .actionBlocked(
            ActionBlocked(
                actionID: action, toolID: "stripe", capability: "POST /charges", payloadHash: hash, method: "POST",
                url: "https://api.example.com/charges", accessRequestID: requestID, expiresAt: soon)),
        .actionBlocked(
            ActionBlocked(
                actionID: action, toolID: "echo", capability: nil, payloadHash: nil, method: nil, url: nil,
                accessRequestID: nil, expiresAt: soon)),
        .actionBlocked(
            ActionBlocked(
                actionID: action, toolID: "mail", capability: nil, payloadHash: nil, method: nil, url: nil,
                accessRequestID: nil, expiresAt: soon, isConsent: true)),
        .actionApproved(ActionApproved(actionID: action, payloadHash: nil, reason: "mail.read", isConsent: true)),
        .actionApproved(ActionApproved(actionID: action, payloadHash: hash, reason: "checked")),
        .actionApproved(ActionApproved(actionID: action, payloadHash: nil, reason: nil)),
        .actionRejected(ActionRejected(actionID: action, reason: "too much")),
        .actionRejected(ActionRejected(actionID: action, reason: nil)),
        .actionApproved(ActionApproved(actionID: action, payloadHash: hash, reason: nil, signature: signature)),
        .actionApproved(ActionApproved(actionID: action, payloadHash: nil, reason: "ok", signature: widerSignature)),
        .actionRejected(ActionRejected(actionID: action, reason: nil, signature: signature)),
        .actionVoted(
            ActionVoted(actionID: action, approverID: "dan", groups: ["risk"], reason: nil, signature: signature)),
        .actionExpired(ActionExpired(actionID: action)),
        .actionExecuted(ActionExecuted(actionID: action)),
        .actionFailed(ActionFailed(actionID: action, reason: "run failed: timed out")),
    ]

    private static let access: [EventPayload] =
        [
            .accessRequested(
                AccessRequested(
                    subject: "alice", toolID: "stripe", agentID: "payments", duration: .seconds(14_400),
                    run: AccessRequestTarget(runID: runID, actionID: action), capability: "POST /charges",
                    payloadHash: hash, headersHash: headersHash, method: "POST", url: "https://api.example.com/charges",
                    expiresAt: soon)),
            .accessRequested(
                AccessRequested(
                    subject: "bob", toolID: "echo", agentID: nil, duration: .microseconds(1), run: nil,
                    capability: nil, payloadHash: nil, method: nil, url: nil, expiresAt: soon)),
            .accessRequested(
                AccessRequested(
                    subject: "bob", toolID: "echo", agentID: nil, duration: .microseconds(1), run: nil,
                    capability: "GET /inbox", payloadHash: nil, method: nil, url: nil, expiresAt: soon,
                    isForOneCall: true,
                    tool: ToolIdentity(id: ResourceID(uuid(907)), origin: "https://echo.example:8443"),
                    agentUID: ResourceID(uuid(909)))),
            .accessRejected(AccessRejected(approverID: "carol", reason: "no")),
            .accessRejected(AccessRejected(approverID: "carol", reason: nil)),
            .accessRejected(AccessRejected(approverID: "carol", reason: nil, signature: signature)),
            .accessApproved(
                AccessApproved(
                    approverID: "carol", scope: .run, duration: .seconds(1800), expiresAt: soon, reason: nil,
                    signature: widerSignature)),
            .accessApproved(
                AccessApproved(
                    approverID: "carol", scope: .agentUserTTL, duration: .seconds(60), expiresAt: soon, reason: nil,
                    requirement: requirement, approvedGroups: ["finance", "risk"])),
            .accessApproved(
                AccessApproved(
                    approverID: "carol", scope: .run, duration: .seconds(60), expiresAt: soon, reason: nil,
                    requirement: mixedRequirement, approvedGroups: ["legal", "risk"])),
            .accessExpired(AccessExpired()), .accessExpired(AccessExpired(reason: "the key was revoked")),
        ]
        + AccessScope.allCases.map { scope in
            .accessApproved(
                AccessApproved(
                    approverID: "carol", scope: scope, duration: .seconds(1800), expiresAt: soon,
                    reason: scope == .once ? "once only" : nil))
        }

    private static let invokes: [EventPayload] =
        [
            .invokeRequested(InvokeRequested(purpose: .start, attempt: 1, requestID: "req-1")),
            .invokeRequested(InvokeRequested(purpose: .resume(action), attempt: 2, requestID: "req-2")),
            .invokeFailed(
                InvokeFailed(purpose: .start, attempt: 1, statusCode: 503, error: "busy", isRetryable: true)),
            .invokeFailed(
                InvokeFailed(
                    purpose: .resume(action), attempt: 5, statusCode: nil, error: "no answer", isRetryable: false)),
            .invokeFailed(
                InvokeFailed(
                    purpose: .start, attempt: 2, statusCode: nil, error: "agent x is stopped", isRetryable: true,
                    isStopped: true)),
        ]
        + InvokeOutcome.allCases.map { outcome in
            .invokeCompleted(
                InvokeCompleted(
                    purpose: outcome == .finished ? .resume(action) : .start, attempt: 1, statusCode: 200,
                    response: outcome == .finished ? document : nil, outcome: outcome))
        }

    private static let keys: [EventPayload] =
        Role.allCases.map { role in
            .apiKeyCreated(
                APIKeyCreated(
                    name: "\(role.rawValue) key", role: role, digest: String(repeating: "5ec2e7", count: 10) + "0000",
                    prefix: "ra_ws_", last4: "x9Qz", expiresAt: role == .agent ? soon : nil))
        } + [
            .apiKeyCreated(
                APIKeyCreated(
                    name: "finance", role: .approver, digest: String(repeating: "5ec2e7", count: 10) + "0001",
                    prefix: "ra_ws_", last4: "x9Qa", expiresAt: nil, groups: ["finance", "on call"],
                    onlyGroups: true)),
            .apiKeyCreated(
                APIKeyCreated(
                    name: "remote", role: .agent, digest: String(repeating: "5ec2e7", count: 10) + "0002",
                    prefix: "ra_ws_", last4: "x9Qb", expiresAt: nil, agent: "billing")),
            .apiKeyRotated(
                APIKeyRotated(
                    digest: String(repeating: "5ec2e7", count: 10) + "0003", prefix: "ra_ws_", last4: "x9Qc",
                    expiresAt: nil, previousUntil: nil)),
            .apiKeyRotated(
                APIKeyRotated(
                    digest: String(repeating: "5ec2e7", count: 10) + "0004", prefix: "ra_ws_", last4: "x9Qd",
                    expiresAt: soon, previousUntil: soon)),
            .apiKeyRevoked(APIKeyRevoked()),
            .answerRecorded(
                AnswerRecorded(
                    token: IdempotencyToken(key: "deploy-17", fingerprint: uuid(905)), statusCode: 201,
                    body: #"{"private":"the first answer"}"#)),
        ]

    private static let call = ToolCall(
        id: ToolCallID(uuid(707)), toolID: "stripe", capability: "POST /charges", method: "POST",
        url: "https://api.example.com/charges?draft=1", payloadHash: hash, headersHash: headersHash,
        fingerprint: uuid(906), isRepeatable: false, attempt: 3, occurrence: 2, actionID: action, grantID: requestID)
    private static let read = ToolCall(
        id: ToolCallID(uuid(708)), toolID: "echo", capability: nil, method: "GET", url: "http://127.0.0.1:9000/",
        payloadHash: hash, fingerprint: uuid(907), isRepeatable: true)
    private static let headersHash = PayloadHash("sha256:" + String(repeating: "c", count: 64))
    private static let sealed = [0, 1, 255, 128] as [UInt8]

    private static let calls: [EventPayload] = [
        .toolCallStarted(ToolCallStarted(call: call)),
        .toolCalled(
            ToolCalled(
                call: call, outcome: .answered(statusCode: 201), latency: .microseconds(1500), answerBytes: 90,
                answer: sealed)),
        .toolCalled(
            ToolCalled(
                call: read, outcome: .unreached(statusCode: 502, error: "connection refused"), latency: .zero,
                answerBytes: 0, answer: nil)),
        .toolCalled(
            ToolCalled(
                call: call, outcome: .unknown(error: "interrupted"), latency: .seconds(1), answerBytes: 0, answer: nil)),
        .toolCallInterrupted(ToolCallInterrupted(callID: ToolCallID(uuid(707)))),
        .toolCallReplayed(ToolCallReplayed(callID: ToolCallID(uuid(707)))),
        .toolCallRefused(
            ToolCallRefused(
                toolID: "stripe", method: "DELETE", url: "https://api.example.com/", payloadHash: hash,
                reason: "rule 2 of policy p denies it")),
        .payloadMismatched(
            PayloadMismatched(actionID: action, approved: hash, presented: PayloadHash("sha256:" + "0"))),
        .payloadMismatched(
            PayloadMismatched(
                actionID: action, approved: hash, presented: hash,
                headers: .init(approved: headersHash, presented: PayloadHash("sha256:" + "1")))),
        .actionVoted(ActionVoted(actionID: action, approverID: "carol", groups: ["finance", "risk"], reason: "ok")),
        .actionVoted(ActionVoted(actionID: action, approverID: "dan", groups: [], reason: nil)),
        .actionVoted(
            ActionVoted(
                actionID: action, approverID: "dan", groups: ["risk"], reason: nil, scope: .agentUserTTL,
                duration: .seconds(60))),
        .actionBlocked(
            ActionBlocked(
                actionID: action, toolID: "stripe", capability: "POST /charges", payloadHash: hash, method: "POST",
                url: "https://api.example.com/charges", accessRequestID: requestID, expiresAt: soon,
                call: BlockedCall(
                    fingerprint: uuid(906), reason: "rule 1 of policy p", requirement: requirement, headers: document,
                    headersHash: headersHash, payload: sealed,
                    tool: ToolIdentity(id: ResourceID(uuid(908)), origin: "http://stripe.example")))),
        .checkpointSaved(
            CheckpointSaved(
                checkpointID: CheckpointID(uuid(706)), actionID: action.description, document: document,
                restartsHandler: true)),
    ]

    private static let signature = DecisionSignature(principal: "carol", bytes: Array("SSHSIG".utf8), grant: nil)
    private static let widerSignature = DecisionSignature(
        principal: "carol", bytes: Array(0...200), grant: SignedGrant(scope: .run, duration: .seconds(1800)))

    private static let requirement = RequiredApproval(
        name: "large payments", groups: ["finance", "risk"], needsEveryGroup: true, duration: .seconds(60),
        delivery: RequestedDelivery(connectors: ["ops", "on-call"], mode: "all", fallsBackToUI: false),
        needsSignature: true, durationMax: .seconds(3600))

    private static let mixedRequirement = RequiredApproval(
        name: "large payments and risks", groups: ["finance", "legal", "risk"], needsEveryGroup: true, duration: nil,
        delivery: RequestedDelivery(connectors: ["ops"], mode: nil, fallsBackToUI: nil, includesDefaults: true),
        mixedClauses: [["finance", "legal"], ["risk"]])

    private static let secrets: [EventPayload] = [
        .secretStored(
            SecretStored(
                kind: .tool, owner: "stripe", name: "api_key",
                sealed: SealedSecret(keyID: DataKeyID(uuid(708)), ciphertext: Array(0...91)), replacedKeyID: nil)),
        .secretStored(
            SecretStored(
                kind: .agent, owner: "payments", name: "DB_PASSWORD",
                sealed: SealedSecret(keyID: DataKeyID(uuid(709)), ciphertext: Array(9...100)),
                replacedKeyID: DataKeyID(uuid(708)))),
        .secretDeleted(
            SecretDeleted(kind: .modelProvider, owner: "m", name: "client_secret", keyID: DataKeyID(uuid(709)))),
    ]

    private static let message = DeliveryLabel(
        id: DeliveryID(uuid(712)), connector: "conn-1", connectorName: "ops \"and\" more",
        subject: .action(runID, action, requestID))
    private static let otherMessage = DeliveryLabel(
        id: DeliveryID(uuid(713)), connector: "conn-2", connectorName: "", subject: .request(requestID))

    private static let deliveries: [EventPayload] = [
        .deliveryStarted(
            DeliveryStarted(
                label: message, purpose: .ask, attempt: 1,
                link: DecisionLink(digest: Array(0...31), payloadHash: hash, expiresAt: soon))),
        .deliveryStarted(DeliveryStarted(label: otherMessage, purpose: .followUp, attempt: 7, link: nil)),
        .deliveryStarted(
            DeliveryStarted(
                label: DeliveryLabel(
                    id: DeliveryID(uuid(714)), connector: "c", connectorName: "c", subject: .action(runID, action, nil)),
                purpose: .ask, attempt: 1,
                link: DecisionLink(digest: Array(0...31), payloadHash: nil, expiresAt: soon))),
        .deliveryEnded(
            DeliveryEnded(
                label: message, purpose: .ask, attempt: 1, outcome: .delivered(statusCode: 201, reference: "OPS-1"),
                latency: .microseconds(1500))),
        .deliveryEnded(
            DeliveryEnded(
                label: otherMessage, purpose: .followUp, attempt: 2, outcome: .delivered(statusCode: 0, reference: nil),
                latency: .zero)),
        .deliveryEnded(
            DeliveryEnded(
                label: otherMessage, purpose: .ask, attempt: 2,
                outcome: .failed(statusCode: 503, error: "the service answered 503", retryAt: soon),
                latency: .seconds(10))),
        .deliveryEnded(
            DeliveryEnded(
                label: message, purpose: .ask, attempt: 8,
                outcome: .failed(statusCode: nil, error: "no answer", retryAt: nil), latency: .zero)),
        .decisionLinkUsed(DecisionLinkUsed(label: message, approves: true)),
        .decisionLinkUsed(DecisionLinkUsed(label: otherMessage, approves: false)),
    ]

    private static let modelCall = ModelCallID(uuid(714))
    private static let modelCalls: [EventPayload] = [
        .modelAnswerRecorded(ModelAnswerRecorded(callID: modelCall, identity: uuid(715), answer: sealed)),
        .modelAnswerRecorded(ModelAnswerRecorded(callID: modelCall, identity: uuid(715), answer: nil)),
        .modelCallReplayed(ModelCallReplayed(callID: modelCall, isAskedAgain: false)),
        .modelCallReplayed(ModelCallReplayed(callID: modelCall, isAskedAgain: true)),
        .modelCalled(
            ModelCalled(
                provider: "openai", providerKind: "openai", model: "gpt-4o-mini", role: "chat",
                operation: "chat/completions", agentID: "payments", userID: "alice", isStreamed: true,
                outcome: .answered(statusCode: 200),
                usage: TokenUsage(
                    prompt: 1200, completion: 7, cached: 1024,
                    details: TokenUsage.Details(
                        cacheWrite: 100, cacheWriteHour: 40, audioPrompt: 30, reasoning: 3, audioCompletion: 2)),
                isEstimated: true, latency: .microseconds(1500), timeToFirstByte: .microseconds(20),
                price: ModelPrice(
                    input: MicroUSD(150_000), output: MicroUSD(600_000), cachedInput: MicroUSD(75_000),
                    details: ModelPrice.Details(
                        cacheWrite: .zero, cacheWriteHour: MicroUSD(300_000), audioInput: MicroUSD(40_000_000),
                        audioOutput: MicroUSD(80_000_000), reasoning: MicroUSD(900_000))),
                cost: MicroUSD(108), isNearBudget: true, callID: modelCall, askedModel: "gpt-*")),
        .modelCalled(
            ModelCalled(
                provider: "local", providerKind: "ollama", model: "m", role: nil, operation: "embeddings", agentID: nil,
                userID: nil, isStreamed: false, outcome: .failed(error: "no answer"), usage: nil, isEstimated: false,
                latency: .zero, timeToFirstByte: nil, price: nil, cost: nil, isNearBudget: false)),
        .modelCalled(
            ModelCalled(
                provider: "local", providerKind: "ollama", model: "m", role: "", operation: "embeddings", agentID: "",
                userID: "", isStreamed: false, outcome: .overBudget, usage: TokenUsage(prompt: 0, completion: 0),
                isEstimated: false, latency: .zero, timeToFirstByte: .zero,
                price: ModelPrice(input: .zero, output: .zero), cost: .zero, isNearBudget: false)),
    ]

    private static let ingestion: [EventPayload] = [
        .sourcesAnalyzed(SourcesAnalyzed(document: document, expiresAt: soon)),
        .buildRequested(BuildRequested(name: "payments", image: "sluice/payments:0f", document: document)),
        .buildStarted(BuildStarted(attempt: 2)),
        .buildFinished(BuildFinished(error: nil, log: "Successfully installed x\n")),
        .buildFinished(BuildFinished(error: "no such package", log: "")),
        .runExpired(RunExpired(runID: runID, accessRequestIDs: [], usage: [])),
        .runExpired(
            RunExpired(
                runID: runID, accessRequestIDs: [requestID, AccessRequestID(uuid(720))],
                usage: [
                    RunExpired.Usage(day: 20_700, runs: 1, toolCalls: 0),
                    RunExpired.Usage(day: 20_701, runs: 0, toolCalls: 300),
                ])),
        .buildFinished(BuildFinished(error: nil, log: "STEP 1/9", imageID: "sha256:00", imageError: "no registry")),
    ]

    private static let controls: [EventPayload] =
        ControlKind.allCases.map { kind in
            .controlStopped(
                ControlStopped(
                    kind: kind, name: "payer", reason: kind == .tool ? nil : "it ran away", holdsRuns: kind == .agent))
        }
        + [
            .controlStarted(ControlStarted(kind: .agent, name: "payer", reason: nil)),
            .controlStarted(ControlStarted(kind: .workspace, name: "default", reason: "repaired")),
        ]
}
