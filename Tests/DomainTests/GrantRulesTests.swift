import Domain
import Testing

/// A grant covers no call that asks for more than its own approvals met.
@Suite struct GrantRulesTests {
    private typealias Gate = GateScenario

    private static let forms: [String: (groups: [String], every: Bool)] = [
        "anyone": ([], false), "f": (["f"], false), "r": (["r"], false), "f|r": (["f", "r"], false),
        "f&r": (["f", "r"], true), "all f": (["f"], true),
    ]

    /// What a call asks for, and the grants that cover it.
    private static let coveredBy: [String: Set<String>] = [
        "anyone": ["anyone", "f", "r", "f|r", "f&r", "all f"], "f": ["f", "f&r", "all f"], "r": ["r", "f&r"],
        "f|r": ["f", "r", "f|r", "f&r", "all f"], "f&r": ["f&r"], "all f": ["f", "f&r", "all f"],
    ]

    private static func requirement(_ form: String, signed: Bool) -> RequiredApproval {
        let (groups, every) = forms[form] ?? ([], false)
        return Gate.requirement(groups, every: every, signed: signed, name: "\(form) \(signed)")
    }

    @Test(arguments: AccessScope.allCases, [true, false])
    func aGrantCoversWhatAsksForNoMore(scope: AccessScope, isSigned: Bool) throws {
        for granted in Self.forms.keys.sorted() {
            for asked in Self.forms.keys.sorted() {
                for needsSignature in [true, false] {
                    var gate = try Gate()
                    let grant = try gate.grant(Self.requirement(granted, signed: isSigned), scope)
                    let outcome = try gate.begin(
                        gate.call(body: gate.newBody()), Self.requirement(asked, signed: needsSignature))
                    let isCovered =
                        scope != .once && Self.coveredBy[asked]?.contains(granted) == true
                        && (isSigned || !needsSignature)
                    #expect(
                        outcome == (isCovered ? .started(nil, grant) : .blocked),
                        "\(granted) signed \(isSigned), asked \(asked) signed \(needsSignature), \(scope)")
                }
            }
        }
    }

    @Test(
        arguments: [
            ("POST", "https://bank/pay", nil, true), ("PUT", "https://bank/pay", nil, false),
            ("POST", "https://bank/pay?to=me", nil, false), ("POST", "https://bank/other", nil, false),
            ("POST", "https://bank/pay", "charges", false),
        ] as [(String, String, String?, Bool)])
    func aGrantForTheRunIsForItsMethodAndURLWhereNoCapabilityIsDeclared(
        method: String, url: String, capability: String?, isCovered: Bool
    ) throws {
        var gate = try Gate()
        let grant = try gate.grant(Gate.plain, .run)
        let call = gate.call(method, body: gate.newBody(), url: url, capability: capability, repeats: false)
        #expect(try gate.begin(call, Gate.plain) == (isCovered ? .started(nil, grant) : .blocked))
    }

    @Test(arguments: [("charges", true), ("refunds", false), (nil, false)] as [(String?, Bool)])
    func aGrantForTheRunIsForItsCapability(capability: String?, isCovered: Bool) throws {
        var gate = try Gate()
        let first = gate.call(body: gate.newBody(), capability: "charges")
        let grant = try gate.grant(Gate.plain, .run, call: first)
        let call = gate.call(
            "PUT", body: gate.newBody(), url: "https://bank/charges/7", capability: capability, repeats: false)
        #expect(try gate.begin(call, Gate.plain) == (isCovered ? .started(nil, grant) : .blocked))
    }

    @Test func aGrantForTheRunIsForNoOtherRunAndOneForTheUserForNoOtherUser() throws {
        var gate = try Gate()
        _ = try gate.grant(Gate.plain, .run)
        try gate.startRun(as: gate.starter)
        #expect(try gate.begin(gate.call(body: gate.newBody()), Gate.plain) == .blocked)
        gate = try Gate()
        let grant = try gate.grant(Gate.plain, .agentUserTTL)
        try gate.startRun(as: gate.starter)
        #expect(try gate.begin(gate.call(body: gate.newBody()), Gate.plain) == .started(nil, grant))
        try gate.startRun(as: gate.starter, user: "bob")
        #expect(try gate.begin(gate.call(body: gate.newBody()), Gate.plain) == .blocked)
    }

    @Test(
        arguments: [
            (Gate.requirement(["f"], longest: .seconds(60)), 60), (Gate.requirement([], longest: .seconds(60)), 60),
            (Gate.requirement([]), 7 * 86_400),
        ] as [(RequiredApproval, Int)])
    func aGrantIsNoLongerThanTheRuleAllows(requirement: RequiredApproval, longest: Int) throws {
        var gate = try Gate()
        let request = try #require(try gate.blocked(gate.call(body: 1), requirement).accessRequestID)
        let member = try gate.member("f")
        for scope in AccessScope.allCases {
            let rejection = gate.approve(request, as: member, scope, .seconds(longest + 1))
            #expect(rejection?.code == .invalidArgument && rejection?.message.contains("at most") == true)
        }
        #expect(gate.approve(request, as: member, .run, .seconds(longest)) == nil)
        let granted = try #require(gate.scenario.state.accessRequests[request])
        #expect(granted.expiresAt == gate.scenario.now.adding(.seconds(longest)))
    }

    @Test func anApproverWhoSaysNothingGrantsNoMoreThanTheRuleAllows() throws {
        var gate = try Gate()
        let requirement = Gate.requirement([], longest: .seconds(60))
        let request = try #require(try gate.blocked(gate.call(body: 1), requirement).accessRequestID)
        #expect(gate.approve(request, as: try gate.member(""), .run) == nil)
        #expect(gate.scenario.state.accessRequests[request]?.expiresAt == gate.scenario.now.adding(.seconds(60)))
    }

    @Test func aRequestIsForNoLongerThanTheSettingsAllow() throws {
        var gate = try Gate()
        #expect(throws: Rejection.self) { try gate.ask(duration: .seconds(7 * 86_400 + 1)) }
        gate.scenario.settings.grantDurationMax = .seconds(60)
        #expect(throws: Rejection.self) { try gate.ask(duration: .seconds(61)) }
        let request = try gate.ask()
        #expect(gate.scenario.state.accessRequests[request]?.requested.duration == .seconds(60))
        #expect(gate.approve(request, as: try gate.member(""), .agentUserTTL, .seconds(61))?.code == .invalidArgument)
        #expect(gate.approve(request, as: try gate.member(""), .agentUserTTL, .seconds(60)) == nil)
    }

    @Test func anApproverWhoSaysNothingGrantsNoMoreThanTheSettingsAllowByThen() throws {
        var gate = try Gate()
        let request = try gate.ask(method: "POST", url: "https://bank/pay", duration: .seconds(3600))
        gate.scenario.settings.grantDurationMax = .seconds(60)
        #expect(gate.approve(request, as: try gate.member(""), .agentUserTTL) == nil)
        #expect(gate.scenario.state.accessRequests[request]?.expiresAt == gate.scenario.now.adding(.seconds(60)))
    }

    @Test func aGrantCoversACallForAsLongAsTheRuleOfTheCallAllows() throws {
        var gate = try Gate()
        let grant = try gate.grant(Gate.requirement(["f"], longest: .seconds(3600)), .agentUserTTL, .seconds(3600))
        let brief = Gate.requirement(["f"], longest: .seconds(60))
        #expect(try gate.begin(gate.call(body: gate.newBody()), brief) == .started(nil, grant))
        try gate.finish()
        gate.scenario.advance(.seconds(60))
        let long = Gate.requirement(["f"], longest: .seconds(3600))
        #expect(try gate.begin(gate.call(body: gate.newBody()), long) == .started(nil, grant))
        #expect(try gate.begin(gate.call(body: gate.newBody()), brief) == .blocked)
    }

    @Test func severalApproversGrantWhatEachOfThemAgreesTo() throws {
        let both = Gate.requirement(["f", "r"], every: true)
        let cases: [(AccessScope?, Duration?, AccessScope?, Duration?, AccessScope, Duration)] = [
            (.once, nil, .agentUserTTL, .seconds(600), .once, .seconds(600)),
            (nil, nil, .run, .seconds(600), .once, .seconds(600)),
            (.run, .seconds(60), .agentUserTTL, .seconds(600), .run, .seconds(60)),
            (.agentUserTTL, .seconds(600), .run, .seconds(60), .run, .seconds(60)),
            (.agentUserTTL, .seconds(600), .agentUserTTL, .seconds(600), .agentUserTTL, .seconds(600)),
        ]
        for (first, firstFor, second, secondFor, scope, duration) in cases {
            var gate = try Gate()
            let request = try #require(try gate.blocked(gate.call(body: 1), both).accessRequestID)
            #expect(gate.approve(request, as: try gate.member("f"), first, firstFor) == nil)
            #expect(gate.approve(request, as: try gate.member("r"), second, secondFor) == nil)
            let approved = gate.scenario.history.compactMap {
                if case .accessApproved(let approved) = $0.payload { approved } else { nil }
            }
            #expect(approved.map(\.scope) == [scope] && approved.map(\.duration) == [duration])
            #expect(approved.first?.approvedGroups == ["f", "r"] && approved.first?.requirement?.groups == ["f", "r"])
        }
    }

    @Test func oneUnsignedVoteMakesAGrantUnsigned() throws {
        for (first, covers) in [(true, true), (false, false)] {
            var gate = try Gate()
            let both = Gate.requirement(["f", "r"], every: true)
            let call = gate.call(body: 1)
            let request = try #require(try gate.blocked(call, both).accessRequestID)
            #expect(gate.approve(request, as: try gate.member("f"), .agentUserTTL, signed: first) == nil)
            #expect(gate.approve(request, as: try gate.member("r"), .agentUserTTL, signed: true) == nil)
            _ = try gate.begin(call, both)
            try gate.finish()
            let signed = Gate.requirement(["f", "r"], every: true, signed: true)
            #expect(
                try gate.begin(gate.call(body: 2), signed) == (covers ? .started(nil, request) : .blocked))
        }
    }

    @Test(arguments: [AccessScope.run, .agentUserTTL])
    func aGrantThatSaysOfNoRequirementIsWorthAnyApprover(scope: AccessScope) throws {
        let strict = Gate.requirement(["f"])
        for (requirement, isCovered) in [
            (Gate.plain, true), (strict, false), (Gate.requirement([], signed: true), false),
        ] {
            var gate = try Gate()
            let grant = try gate.grant(Gate.requirement(["f"], signed: true), scope)
            // As it was recorded before grants said what they are worth.
            gate.scenario.refold { payload in
                guard case .accessApproved(let approved) = payload else { return payload }
                return .accessApproved(
                    AccessApproved(
                        approverID: approved.approverID, scope: approved.scope, duration: approved.duration,
                        expiresAt: approved.expiresAt, reason: nil, signature: approved.signature))
            }
            let outcome = try gate.begin(gate.call(body: gate.newBody()), requirement)
            #expect(outcome == (isCovered ? .started(nil, grant) : .blocked))
        }
    }

    @Test func aGrantIsOfNoUseInARunOfItsApprover() throws {
        var gate = try Gate()
        let member = try gate.member("")
        let grant = try gate.grant(Gate.plain, .agentUserTTL)
        try gate.startRun(as: member)
        #expect(try gate.begin(gate.call(body: gate.newBody()), Gate.plain) == .blocked)
        try gate.startRun(as: gate.starter)
        #expect(try gate.begin(gate.call(body: gate.newBody()), Gate.plain) == .started(nil, grant))
        gate.scenario.settings.allowsSelfApproval = true
        try gate.startRun(as: member)
        #expect(try gate.begin(gate.call(body: gate.newBody()), Gate.plain) == .started(nil, grant))
    }

    @Test(arguments: [AccessScope.once, .run, .agentUserTTL])
    func aRequestOfAClientIsWorthAnyApproverAtMost(scope: AccessScope) throws {
        let requirements = [
            (Gate.plain, true), (Gate.requirement(["f"]), false), (Gate.requirement(["f", "r"], every: true), false),
            (Gate.requirement([], signed: true), false),
        ]
        for (requirement, isPlain) in requirements {
            var gate = try Gate()
            let request = try gate.ask(
                of: gate.run, method: "POST", url: "https://bank/pay", hash: PayloadHash("sha256:9"))
            let member = try gate.member("f")
            #expect(gate.approve(request, as: member, scope) == nil)
            // Neither its action nor its grant lets a call through that asks for more.
            let outcome = try gate.begin(gate.call(body: 9), requirement)
            #expect(outcome == (isPlain && scope != .once ? .started(nil, request) : .blocked))
        }
    }
}
