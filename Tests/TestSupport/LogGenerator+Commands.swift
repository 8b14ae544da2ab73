import Domain

extension LogGenerator {
    static let people = ["alice", "Bob O'Brien", "名前", "x\"y"]
    private static let tools = ["stripe", "echo-tool", "Zoë's tool; --", "🔧"]
    static let names = ["payments", "refunds", "Ärzte", "a.b-c_d", "with space"]
    private static let hashes = [
        "sha256:" + String(repeating: "ab", count: 32), "opaque", String(repeating: "0", count: 64),
    ]
    private static let documents = [
        #"{"a":1}"#, #"{"text":"ein \"Zitat\" \\ und 🚀"}"#, "[]", #"{"n":1.50,"deep":[[[{}]]]}"#, "null",
    ].map(JSONText.init(verified:))
    private static let messages = [
        #"{"message":"pay 10 €"}"#, #"{"content":"and again"}"#, #"{"message":7}"#, #"{"other":true}"#,
    ].map(JSONText.init(verified:))
    private static let runsAtOnce = 60

    mutating func randomCommand() -> Command {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<80: runCommand()
        case 80..<90: accessCommand()
        case 90..<95: random.chance(80) ? resourceCommand() : deliveryCommand()
        case 95: secretCommand()
        case 96: random.chance(60) ? keyCommand() : erasureCommand()
        case 97: ingestionCommand()
        default:
            .recordAnswer(
                AnswerRecorded(
                    token: IdempotencyToken(key: "k", fingerprint: UUIDValue(high: 1, low: 2)), statusCode: 201,
                    body: "{}"), person: random.chance(50) ? "ada" : nil)
        }
    }

    /// Something about a run that is not finished, or a new one.
    private mutating func runCommand() -> Command {
        guard runs.count >= Self.runsAtOnce || random.chance(95), !runs.isEmpty else { return createRun() }
        let index = Int.random(in: runs.indices, using: &random)
        guard let run = state.runs[runs[index]] else {
            runs.swapAt(index, runs.endIndex - 1)
            runs.removeLast()
            return createRun()
        }
        workspace = run.workspace
        if let action = run.actions.last, action.status == .blocked, random.chance(70) {
            return decision(run, action)
        }
        if let action = run.actions.last, action.status == .approved, random.chance(30) {
            return random.chance(80)
                ? .markActionExecuted(run: run.id, action: action.id)
                : .markActionFailed(run: run.id, action: action.id, reason: "the tool answered 500")
        }
        if run.isServerDriven, random.chance(40) { return invoke(run) }
        return step(run)
    }

    private mutating func createRun() -> Command {
        let id: RunID = newID()
        runs.append(id)
        return .createRun(
            CreateRun(
                runID: id, agentID: random.pick(Self.names), userID: random.pick(Self.people),
                conversationID: random.maybe("conversation-\(random.pick([1, 2, 3]))"),
                invokeURL: random.maybe("http://127.0.0.1:1/invoke"), initialMessage: random.maybe("Grüß Gott 'quoted'")
            ))
    }

    private mutating func addedEvent() -> RunEventAdded {
        let type = random.pick(["USER_MESSAGE", "AGENT_MESSAGE", "TOOL_CALL", "LLM_CALL", "custom.type", "APPROVED"])
        return RunEventAdded(
            type: type, actor: random.maybe("user:1"), payloadHash: random.maybe(random.pick(Self.hashes)),
            data: random.maybe(random.pick(type == "USER_MESSAGE" ? Self.messages : Self.documents)))
    }

    private mutating func step(_ run: RunState) -> Command {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<50:
            let count = random.chance(10) ? Int.random(in: 2...5, using: &random) : 1
            return .addRunEvents(run: run.id, (0..<count).map { _ in addedEvent() })
        case 50..<57: return toolCall(run)
        case 57..<60: return modelCall(run)
        case 60..<72: return .blockAction(run: run.id, block())
        case 72..<80: return .requestAccess(request(run: run.id))
        case 80..<86:
            let action = run.actions.last.map { "\($0.id)" } ?? "action-of-the-agent"
            return .saveCheckpoint(
                run: run.id,
                CheckpointSaved(
                    checkpointID: newID(), actionID: action, document: random.pick(Self.documents),
                    restartsHandler: random.chance(50)))
        case 86..<92:
            return .recordToolResult(
                run: run.id,
                ToolResultRecorded(toolID: random.maybe(random.pick(Self.tools)), document: random.pick(Self.documents))
            )
        case 92..<99: return .changeRunStatus(run: run.id, random.pick(RunStatus.allCases))
        default: return .failRun(run: run.id, reason: "cancelled")
        }
    }

    /// The rules look at what it says, not at whether it verifies.
    private mutating func signature() -> DecisionSignature? {
        guard hasSignatures else { return nil }
        return random.maybe(DecisionSignature(principal: "carol", bytes: [1, 2, 3], grant: nil))
    }

    private mutating func decision(_ run: RunState, _ action: ActionState) -> Command {
        if action.isConsent, random.chance(60) {
            return .giveConsent(
                run: run.id,
                GiveConsent(
                    actionID: action.id, token: storeSecret("consent:\(run.userID)"),
                    scope: random.maybe("mail.read")))
        }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<75:
            return .approveAction(
                run: run.id, action: action.id,
                payloadHash: random.chance(90) ? action.payloadHash : PayloadHash("another"),
                reason: random.maybe("looks right"), signature: signature())
        case 75..<90: return .rejectAction(run: run.id, action: action.id, reason: random.maybe("no"))
        default:
            now = max(now, action.expiresAt)
            return .expireAction(run: run.id, action: action.id)
        }
    }

    private mutating func invoke(_ run: RunState) -> Command {
        let approved = run.actions.last { $0.status == .approved }
        let purpose = approved.map { InvokePurpose.resume($0.id) } ?? .start
        guard let open = run.openInvoke else {
            return .requestInvoke(
                run: run.id,
                InvokeRequested(
                    purpose: purpose, attempt: (run.lastInvoke?.attempt ?? 0) + 1, requestID: "req-\(run.id)"))
        }
        if random.chance(30) {
            return .failInvoke(
                run: run.id,
                InvokeFailed(
                    purpose: open.purpose, attempt: open.attempt, statusCode: random.maybe(503), error: "no answer",
                    isRetryable: true))
        }
        return .completeInvoke(
            run: run.id,
            InvokeCompleted(
                purpose: open.purpose, attempt: open.attempt, statusCode: 200,
                response: random.maybe(random.pick(Self.documents)), outcome: random.pick(InvokeOutcome.allCases)))
    }

    private mutating func accessCommand() -> Command {
        guard !requests.isEmpty, random.chance(65) else { return .requestAccess(request(run: nil)) }
        let index = Int.random(in: requests.indices, using: &random)
        guard let request = state.accessRequests[requests[index]] else {
            requests.swapAt(index, requests.endIndex - 1)
            requests.removeLast()
            return .requestAccess(self.request(run: nil))
        }
        workspace = request.workspace
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<55:
            return .approveAccess(
                ApproveAccess(
                    requestID: request.id, scope: random.maybe(random.pick(AccessScope.allCases)),
                    duration: random.maybe(.seconds(1800)), reason: random.maybe("ok"), payloadHash: nil,
                    signature: signature()))
        case 55..<75: return .rejectAccess(request: request.id, reason: random.maybe("not now"))
        default:
            now = max(now, request.expiresAt)
            return .expireAccess(request: request.id)
        }
    }

    private mutating func request(run: RunID?) -> RequestAccess {
        let id: AccessRequestID = newID()
        requests.append(id)
        let agent = random.pick(Self.names)
        return RequestAccess(
            requestID: id, subject: random.pick(Self.people), toolID: random.pick(Self.tools),
            agentID: random.maybe(agent), duration: random.maybe(.seconds(3600)), runID: run, actionID: newID(),
            capability: random.maybe("POST /charges"), payloadHash: random.maybe(PayloadHash(random.pick(Self.hashes))),
            method: random.maybe("POST"), url: random.maybe("https://tool.example/charges?x=1"), tool: .example)
    }

    private mutating func block() -> BlockAction {
        BlockAction(
            actionID: newID(), toolID: random.pick(Self.tools), capability: random.maybe("GET /*"),
            payloadHash: random.maybe(PayloadHash(random.pick(Self.hashes))), method: random.maybe("GET"),
            url: random.maybe("https://tool.example/"))
    }

    private mutating func resourceCommand() -> Command {
        let kind = random.pick(ResourceKind.allCases)
        let name = random.pick(Self.names)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<60:
            let first = StoreResources.Item(
                kind: kind, name: name, newID: newID(), document: random.pick(Self.documents),
                secrets: [.agent, .tool, .modelProvider].contains(kind) ? storedSecrets() : [],
                keptSecrets: random.maybe(["a"]))
            let tool = StoreResources.Item(
                kind: .tool, name: "made-by-deploy", newID: newID(), document: random.pick(Self.documents))
            return .storeResources(StoreResources(items: random.chance(30) ? [first, tool] : [first]))
        case 60..<80:
            return .recordResourceStatus(
                ResourceStatusRecorded(
                    kind: kind, name: name, phase: random.pick(["Available", "Unavailable"]),
                    message: random.maybe("connection refused"), latencyMilliseconds: random.pick([0, 12, 4_000])))
        default: return .deleteResource(kind: kind, name: name)
        }
    }

    private mutating func keyCommand() -> Command {
        if let id = keys.last, let key = state.apiKeys[id], random.chance(50) {
            workspace = key.workspace
            if random.chance(30) {
                return .rotateAPIKey(
                    id: id,
                    RotateAPIKey(
                        digest: String(repeating: random.pick(["g", "h", "i"]), count: 64), prefix: "sk_",
                        last4: "9876",
                        lifetime: random.maybe(.seconds(86_400)), grace: random.pick([.zero, .seconds(60)])))
            }
            keys.removeLast()
            return .revokeAPIKey(id: id)
        }
        let id: APIKeyID = newID()
        keys.append(id)
        // Few digests, so that a revoked key's digest comes again with another key.
        let digest = String(repeating: random.pick(["a", "b", "c", "d", "e", "f"]), count: 64)
        return .createAPIKey(
            id: id,
            APIKeyCreated(
                name: random.pick(Self.people), role: random.pick(Role.allCases), digest: digest, prefix: "sk_",
                last4: "1234", expiresAt: random.maybe(now.adding(.seconds(86_400)))))
    }
}
