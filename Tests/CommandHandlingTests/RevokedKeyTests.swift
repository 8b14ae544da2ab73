import CommandHandling
import Domain
import EventStore
import Testing

/// Commands of requests that were admitted before their key was revoked.
@Suite struct RevokedKeyTests {
    private static let now = Timestamp(microseconds: 1_790_000_000_000_000)

    private static func create(_ id: RunID) -> Command {
        .createRun(
            CreateRun(
                runID: id, agentID: "a", userID: "u", conversationID: nil, invokeURL: nil, initialMessage: nil))
    }

    private static func request(_ key: APIKeyID, agent: ActingAgent? = nil) -> CommandRequest {
        CommandRequest(workspace: .default, actor: Actor(kind: .apiKey(key), name: "k"), agent: agent)
    }

    private func key(_ writer: Writer, _ role: Role = .operator) async throws -> APIKeyID {
        let id: APIKeyID = writer.commands.newID()
        _ = try await writer.commands.execute(
            .createAPIKey(
                id: id,
                APIKeyCreated(name: "k", role: role, digest: "\(id)", prefix: "p", last4: "last", expiresAt: nil)),
            Writer.request)
        return id
    }

    private func refusal(_ writer: Writer, _ command: Command, _ request: CommandRequest) async -> RejectionErrorCode? {
        do throws(CommandError) {
            _ = try await writer.commands.execute(command, request)
            return nil
        } catch {
            guard case .rejected(let rejection) = error else { return nil }
            return rejection.code
        }
    }

    @Test func everyCommandOfARevokedKeyIsRefusedWhateverItIs() async throws {
        let writer = try await Writer()
        try await writer.running {
            let key = try await key(writer)
            let run: RunID = writer.commands.newID()
            _ = try await writer.commands.execute(Self.create(run), Self.request(key))
            _ = try await writer.commands.execute(.revokeAPIKey(id: key), Writer.request)
            let commands: [Command] = [
                Self.create(writer.commands.newID()), .failRun(run: run, reason: "r"),
                .changeRunStatus(run: run, .completed),
                .addRunEvents(
                    run: run, [RunEventAdded(type: "USER_MESSAGE", actor: nil, payloadHash: nil, data: nil)]),
                .deleteResource(kind: .agent, name: "a"), .revokeAPIKey(id: key),
                .createAPIKey(
                    id: writer.commands.newID(),
                    APIKeyCreated(
                        name: "next", role: .admin, digest: "next", prefix: "p", last4: "last", expiresAt: nil)),
            ]
            for command in commands {
                for agent in [nil, ActingAgent(name: nil, isManaged: false)] {
                    #expect(await refusal(writer, command, Self.request(key, agent: agent)) == .apiKeyRevoked)
                }
            }
            #expect(throws: CommandError.self) {
                try writer.commands.check(.failRun(run: run, reason: "r"), Self.request(key))
            }
            // Others may, and agents that Sluice runs have no key in the log.
            let managed = Self.request(key, agent: ActingAgent(name: nil, isManaged: true))
            #expect(await refusal(writer, .requestAccess(access(writer)), managed) != .apiKeyRevoked)
            #expect(await refusal(writer, .failRun(run: run, reason: "r"), Writer.request) == nil)
        }
    }

    private func access(_ writer: Writer) -> RequestAccess {
        RequestAccess(
            requestID: writer.commands.newID(), subject: "u", toolID: "t", agentID: nil, duration: nil, runID: nil,
            actionID: writer.commands.newID(), capability: nil, payloadHash: nil, method: nil, url: nil)
    }

    /// A tool or a model has done its part already, and a client may have its answer.
    @Test func whatHasHappenedIsRecordedAfterTheKeyWasRevoked() async throws {
        let writer = try await Writer()
        try await writer.running {
            let key = try await key(writer)
            _ = try await writer.commands.execute(.revokeAPIKey(id: key), Writer.request)
            let answer = AnswerRecorded(
                token: IdempotencyToken(key: "k", fingerprint: UUIDValue(high: 1, low: 1)), statusCode: 201, body: "{}")
            #expect(await refusal(writer, .recordAnswer(answer, person: nil), Self.request(key)) == nil)
        }
    }

    /// Creations and the revocation are decided in whatever order they come in; none of the key's events follows its end.
    @Test func nothingOfAKeyFollowsItsRevocation() async throws {
        for _ in 0..<20 {
            let writer = try await Writer()
            try await writer.running {
                let key = try await key(writer)
                await withTaskGroup(of: Void.self) { group in
                    for number in 0..<40 {
                        group.addTask {
                            if number == 20 {
                                _ = await refusal(writer, .revokeAPIKey(id: key), Writer.request)
                            } else {
                                _ = await refusal(writer, Self.create(writer.commands.newID()), Self.request(key))
                            }
                        }
                    }
                }
                let events = try await writer.store.read(from: Position(1), limit: 1000)
                let end = try #require(events.first { $0.event.payload == .apiKeyRevoked(APIKeyRevoked()) }).position
                let last = events.last { $0.event.actor.kind == .apiKey(key) }?.position ?? Position(1)
                #expect(last < end)
                let active = try await writer.commands.snapshot().state
                #expect(active.runs.count == events.filter { $0.event.runID != nil && $0.position < end }.count)
            }
        }
    }
}
