import Domain
import TestSupport
import Testing

/// Nothing that agents, clients and other approvers do lets a call through that asks for more.
@Suite struct ApprovalWorthPropertyTests {
    private typealias Gate = GateScenario

    private static let strict = [
        Gate.requirement(["finance"]), Gate.requirement(["finance", "risk"], every: true),
        Gate.requirement(["finance"], signed: true), Gate.requirement([], signed: true),
    ]
    private static let lax = [
        Gate.plain, Gate.requirement(["sales"]), Gate.requirement(["sales", "ops"], every: true),
    ]

    @Test func noSequenceOfOthersDecisionsLetsAStricterCallThrough() throws {
        var laxStarted = 0
        for seed in 1...40 as ClosedRange<UInt64> {
            let started = try startedCalls(seed: seed)
            #expect(started.strict == 0, "seed \(seed)")
            laxStarted += started.lax
        }
        #expect(laxStarted > 40, "others' approvals are worth what they are")
    }

    private func startedCalls(seed: UInt64) throws -> (strict: Int, lax: Int) {
        var random = SeededRandom(seed: seed)
        var gate = try Gate()
        let outsiders = [try gate.member(""), try gate.member("sales"), try gate.member("ops")]
        var (strictStarted, laxStarted) = (0, 0)
        for _ in 0..<150 {
            gate.scenario.actor = random.chance(50) ? gate.starter : random.pick(outsiders)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: makeAction(&gate, &random)
            case 1: ask(&gate, &random)
            case 2, 3: decide(&gate, outsiders, &random)
            case 4: if try started(&gate, Self.lax, &random) { laxStarted += 1 }
            default: if try started(&gate, Self.strict, &random) { strictStarted += 1 }
            }
            if gate.scenario.state.runs[gate.run]?.status != .running, random.chance(20) {
                try gate.startRun(as: gate.starter)
            }
        }
        return (strictStarted, laxStarted)
    }

    private func body(_ random: inout SeededRandom) -> UInt64 { UInt64.random(in: 1...3, using: &random) }

    private func makeAction(_ gate: inout Gate, _ random: inout SeededRandom) {
        _ = gate.scenario.rejection(
            .blockAction(
                run: gate.run,
                BlockAction(
                    actionID: gate.scenario.newID(), toolID: "bank", capability: random.maybe("GET /x"),
                    payloadHash: random.maybe(PayloadHash("sha256:\(body(&random))")), method: random.maybe("POST"),
                    url: random.maybe("https://bank/pay"))))
    }

    private func ask(_ gate: inout Gate, _ random: inout SeededRandom) {
        _ = try? gate.ask(
            of: random.maybe(gate.run), method: random.maybe("POST"), url: random.maybe("https://bank/pay"),
            hash: random.maybe(PayloadHash("sha256:\(body(&random))")), duration: random.maybe(.seconds(86_400)))
    }

    /// Approves all that waits, as far as the rules let an outsider: never with a signature.
    private func decide(_ gate: inout Gate, _ outsiders: [Actor], _ random: inout SeededRandom) {
        let pending = gate.scenario.state.accessRequests.values.filter(\.isPending).map(\.id).sorted()
        if let request = pending.randomElement(using: &random) {
            for actor in outsiders.shuffled(using: &random) {
                _ = gate.approve(
                    request, as: actor, random.pick([.once, .run, .agentUserTTL, nil]), random.maybe(.seconds(86_400)))
            }
        }
        let actions = gate.scenario.state.runs[gate.run]?.actions.filter { $0.status == .blocked } ?? []
        guard let action = actions.randomElement(using: &random) else { return }
        for actor in outsiders.shuffled(using: &random) {
            gate.scenario.actor = actor
            _ = gate.scenario.rejection(
                .approveAction(run: gate.run, action: action.id, payloadHash: action.payloadHash, reason: nil))
        }
    }

    private func started(
        _ gate: inout Gate, _ requirements: [RequiredApproval], _ random: inout SeededRandom
    ) throws -> Bool {
        let method = random.chance(30) ? "GET" : "POST"
        let call = gate.call(method, body: body(&random), turn: UInt64.random(in: 0...2, using: &random))
        guard let outcome = try? gate.begin(call, random.pick(requirements)) else { return false }
        switch outcome {
        case .started:
            try gate.finish()
            return true
        case .allowed: return true
        case .blocked, .replayed, .mismatched: return false
        }
    }
}
