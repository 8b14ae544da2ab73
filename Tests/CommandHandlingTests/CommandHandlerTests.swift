import CommandHandling
import Domain
import EventStore
import Testing

@Suite struct CommandHandlerTests {
    @Test func answersWithThePositionOfWhatIsDurable() async throws {
        let writer = try await Writer()
        try await writer.running {
            let (run, created) = try await writer.createRun()
            #expect(created.position == Position(1) && !created.isRepeated)
            for number in 2...20 {
                let receipt = try await writer.say(run)
                #expect(receipt.position == Position(UInt64(number)))
                #expect(await writer.backend.durablePosition >= UInt64(number))
            }
        }
    }

    /// Of many approvals at once exactly one passes the check that it ends.
    @Test func twoCommandsNeverBothPassACheckThatOneOfThemEnds() async throws {
        let writer = try await Writer()
        try await writer.running {
            for _ in 0..<20 {
                let (run, _) = try await writer.createRun()
                let action: ActionID = writer.commands.newID()
                _ = try await writer.commands.execute(
                    .blockAction(
                        run: run, BlockAction(actionID: action, toolID: "t", capability: nil, payloadHash: nil)),
                    Writer.request)
                let approvals = await withTaskGroup(of: Bool.self) { group in
                    for _ in 0..<16 {
                        group.addTask {
                            do throws(CommandError) {
                                _ = try await writer.commands.execute(
                                    .approveAction(run: run, action: action, payloadHash: nil, reason: nil),
                                    Writer.request)
                                return true
                            } catch {
                                return false
                            }
                        }
                    }
                    return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                #expect(approvals == 1)
            }
        }
    }

    @Test func positionsAndSequencesStayDenseUnderConcurrency() async throws {
        let writer = try await Writer()
        try await writer.running {
            let runs = try await withThrowingTaskGroup(of: RunID.self) { group in
                for _ in 0..<10 { group.addTask { try await writer.createRun().id } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            try await withThrowingTaskGroup { group in
                for run in runs { for _ in 0..<30 { group.addTask { _ = try await writer.say(run) } } }
                try await group.waitForAll()
            }
        }
        let events = try await writer.store.read(from: Position(1), limit: 1000)
        #expect(events.map(\.position.value) == Array(1...310))
        var sequences: [RunID: UInt64] = [:]
        for recorded in events {
            let run = try #require(recorded.event.runID)
            #expect(recorded.event.streamSequence == sequences[run, default: 0] + 1)
            sequences[run] = recorded.event.streamSequence
        }
    }

    @Test func theClockMayGoBackAndTheEventsTimeDoesNot() async throws {
        let writer = try await Writer()
        try await writer.running {
            let (run, first) = try await writer.createRun()
            writer.clock.set { $0.adding(.seconds(-3600)) }
            let second = try await writer.say(run)
            #expect(try #require(second.events.first).event.time >= (try #require(first.events.first)).event.time)
        }
    }

    @Test func refusesWhenTheQueueIsFullAndKeepsNothingOfTheRefused() async throws {
        let writer = try await Writer(queueLengthMax: 2)
        try await withThrowingTaskGroup { group in
            // The commit loop does not run yet, so that the queue fills up.
            for _ in 0..<2 { group.addTask { _ = try await writer.createRun() } }
            while true {
                do throws(CommandError) {
                    let create = CreateRun(
                        runID: writer.commands.newID(), agentID: "refused", userID: "u", conversationID: nil,
                        invokeURL: nil, initialMessage: nil)
                    // Decided only when the two are queued; until then this one would wait, so look first.
                    guard writer.commands.queueLength == 2 else {
                        await Task.yield()
                        continue
                    }
                    _ = try await writer.commands.execute(.createRun(create), Writer.request)
                    Issue.record("the queue took more than its limit")
                } catch {
                    guard case .overloaded = error else { throw error }
                    break
                }
            }
            group.addTask { await writer.commands.run() }
            for _ in 0..<2 { try await group.next() }
            group.cancelAll()
        }
        #expect(await writer.backend.durablePosition == 2)
    }

    @Test func aFullDiskRefusesWhatWasQueuedForgetsItAndGoesOnWithSpace() async throws {
        let writer = try await Writer()
        try await writer.running {
            let (run, _) = try await writer.createRun()
            await writer.backend.setFailure(.noSpace("full"))
            let error = await refusal { try await writer.say(run) }
            guard case .readOnly = error else { return #expect(Bool(false), "\(String(describing: error))") }
            await writer.backend.setFailure(nil)
            while writer.commands.refusal != nil { await Task.yield() }
            let receipt = try await writer.say(run)
            #expect(receipt.position == Position(2))
            #expect(try #require(receipt.events.first).event.streamSequence == 2)
        }
    }

    @Test func withoutDescriptorsTheWriterIsReadOnlyUntilTheLogCanBeReadAgain() async throws {
        let writer = try await Writer()
        try await writer.running {
            let (run, _) = try await writer.createRun()
            await writer.backend.setFailure(.noDescriptors("none"))
            let error = await refusal { try await writer.say(run) }
            guard case .readOnly = error else { return #expect(Bool(false), "\(String(describing: error))") }
            #expect(writer.commands.refusal != nil)
            await writer.backend.setFailure(nil)
            while writer.commands.refusal != nil { await Task.yield() }
            #expect(try await writer.say(run).position == Position(2))
        }
    }

    @Test func onePrincipalsIdempotencyKeyMeansNothingToAnother() async throws {
        let writer = try await Writer()
        try await writer.running {
            let first = try await writer.createRun(token("k", scope: 1, 7))
            let second = try await writer.createRun(token("k", scope: 2, 8))
            #expect(second.id != first.id && !second.receipt.isRepeated)
            let again = try await writer.createRun(token("k", scope: 1, 7))
            #expect(again.receipt.isRepeated && again.id == first.id)
        }
    }

    @Test func onePrincipalsIdempotencyKeysLeaveRoomForAnothers() async throws {
        var settings = DecisionSettings()
        settings.limits.idempotencyKeysMax = 10
        let writer = try await Writer(settings: settings)
        try await writer.running {
            let flood = try await writer.useKeys(of: 1)
            #expect((flood.used, flood.refusal) == (5, .shareExceeded))
            let other = try await writer.useKeys(of: 2)
            #expect((other.used, other.refusal) == (2, .shareExceeded))
            for number in 0..<5 {
                #expect(try await writer.createRun(token("key-\(number)", scope: 1)).receipt.isRepeated)
            }
            writer.clock.set { $0.adding(Limits().idempotencyRetention + .seconds(1)) }
            #expect(try await writer.useKeys(of: 1).used == 5)
        }
    }

    @Test func commandsThatEndWorkNeedNoRoomForTheirKey() async throws {
        var settings = DecisionSettings()
        settings.limits.idempotencyKeysMax = 10
        let writer = try await Writer(settings: settings)
        try await writer.running {
            let runs = [try await writer.createRun().id, try await writer.createRun().id]
            _ = try await writer.useKeys(of: 1)
            let refused = await refusal { try await writer.say(runs[0], token("new", scope: 1)) }
            #expect(refused != nil)
            for (number, run) in runs.enumerated() {
                let request = token("stop-\(number)", scope: 1)
                let ended = try await writer.commands.execute(.failRun(run: run, reason: "stop"), request)
                #expect(!ended.isRepeated && ended.events.allSatisfy { $0.event.causation.idempotency == nil })
                #expect(writer.commands.activeRun(run) == nil)
            }
            // A live key is not forgotten for it, and another request's is not taken.
            #expect(try await writer.createRun(token("key-0", scope: 1)).receipt.isRepeated)
            let mismatch = await refusal {
                try await writer.commands.execute(.failRun(run: runs[0], reason: "stop"), token("key-0", scope: 1, 7))
            }
            guard case .idempotencyMismatch = mismatch else {
                return #expect(Bool(false), "\(String(describing: mismatch))")
            }
        }
    }

    @Test func aLogWithMoreKeysThanAreRememberedIsReadAllTheSame() async throws {
        let backend = InMemoryLogBackend()
        let first = try await Writer(backend)
        try await first.running {
            _ = try await first.createRun(token("honest", scope: 2))
            for number in 0..<100 { _ = try await first.createRun(token("flood-\(number)", scope: 1)) }
        }
        var settings = DecisionSettings()
        settings.limits.idempotencyKeysMax = 10
        let second = try await Writer(backend, settings: settings)
        try await second.running {
            let honest = try await second.createRun(token("honest", scope: 2))
            let newest = try await second.createRun(token("flood-99", scope: 1))
            #expect(honest.receipt.isRepeated && newest.receipt.isRepeated)
            let refused = await refusal { try await second.createRun(token("flood-0", scope: 1)).receipt }
            #expect(refused != nil)
        }
    }

    @Test func aKeyThatAnEarlierVersionRecordedIsStillRecognized() async throws {
        let writer = try await Writer()
        try await writer.running {
            let earlier = UUIDValue(high: 77, low: 88)
            func request(_ token: IdempotencyToken) -> CommandRequest {
                CommandRequest(
                    workspace: .default, actor: Actor(kind: .system, name: "tester"), idempotency: token)
            }
            let first = try await writer.createRun(request(IdempotencyToken(key: "k", fingerprint: earlier)))
            let again = try await writer.createRun(
                request(
                    IdempotencyToken(
                        key: "k", fingerprint: UUIDValue(high: 1, low: 77), earlierFingerprint: earlier)))
            #expect(again.receipt.isRepeated && again.id == first.id)
        }
    }

    /// A refusal is an answer too: it waits for the disk, and does not tell of what the disk then refuses.
    @Test func aRefusalNeverTellsOfWhatIsNotDurable() async throws {
        let writer = try await Writer()
        let id: RunID = writer.commands.newID()
        let create = Command.createRun(
            CreateRun(
                runID: id, agentID: "a", userID: "u", conversationID: nil, invokeURL: nil, initialMessage: nil))
        await writer.backend.setFailure(.noSpace("full"))
        try await withThrowingTaskGroup(of: CommandError?.self) { group in
            // The commit loop does not run yet: the second is decided in sight of the first, which is not written.
            for queued in 1...2 {
                group.addTask { await refusal { try await writer.commands.execute(create, Writer.request) } }
                while queued == 1, writer.commands.queueLength == 0 { await Task.yield() }
            }
            for _ in 0..<100 { await Task.yield() }
            group.addTask {
                await writer.commands.run()
                return nil
            }
            for _ in 1...2 {
                guard case .readOnly? = try await group.next() ?? nil else {
                    Issue.record("a client was told of a run that does not exist")
                    break
                }
            }
            group.cancelAll()
        }
        #expect(await writer.backend.durablePosition == 0)
    }

    @Test func afterAFailedWriteNothingIsAcceptedAnyMore() async throws {
        let writer = try await Writer()
        try await writer.running {
            let (run, _) = try await writer.createRun()
            await writer.backend.setFailure(.stopped("fdatasync failed"))
            for _ in 0..<3 {
                let error = await refusal { try await writer.say(run) }
                guard case .stopped = error else { return #expect(Bool(false), "\(String(describing: error))") }
                await writer.backend.setFailure(nil)
            }
        }
        #expect(await writer.backend.durablePosition == 1)
    }

    @Test func aRestartRemembersWhatIsUnfinishedAndNothingElse() async throws {
        let backend = InMemoryLogBackend()
        let first = try await Writer(backend)
        try await first.running {
            for number in 0..<10 {
                let (run, _) = try await first.createRun()
                guard number % 2 == 0 else { continue }
                _ = try await first.commands.execute(.changeRunStatus(run: run, .completed), Writer.request)
            }
        }
        let second = try await Writer(backend)
        let (before, after) = (try await first.commands.snapshot(), try await second.commands.snapshot())
        #expect(after.state.runs.count == 5 && after.state.runs == before.state.runs)
        #expect(after.position == before.position)
    }
}

@Suite struct IdempotencyTests {
    @Test func theSameKeyAndRequestGiveTheFirstEventsAgain() async throws {
        let writer = try await Writer()
        try await writer.running {
            let (run, first) = try await writer.createRun(token("k"))
            let (again, second) = try await writer.createRun(token("k"))
            #expect(again == run && second.isRepeated && second.position == first.position)
            #expect(second.events == first.events)
        }
        #expect(await writer.backend.durablePosition == 1)
    }

    @Test func ofManyAtOnceOneIsWritten() async throws {
        let writer = try await Writer()
        try await writer.running {
            let ids = try await withThrowingTaskGroup(of: RunID.self) { group in
                for _ in 0..<50 { group.addTask { try await writer.createRun(token("k")).id } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
        }
        #expect(await writer.backend.durablePosition == 1)
    }

    @Test func anotherRequestUnderTheSameKeyIsRefused() async throws {
        let writer = try await Writer()
        try await writer.running {
            let (run, _) = try await writer.createRun(token("k", 1))
            let error = await refusal { try await writer.say(run, token("k", 2)) }
            guard case .idempotencyMismatch = error else { return #expect(Bool(false), "\(String(describing: error))") }
        }
    }

    @Test func keysAndAnswersSurviveARestart() async throws {
        let backend = InMemoryLogBackend()
        let first = try await Writer(backend)
        let answer = AnswerRecorded(
            token: try #require(token("k").idempotency), statusCode: 201, body: #"{"id":1}"#)
        let run = try await collected { store in
            try await first.running {
                store((try await first.createRun(token("k"))).id)
                _ = try await first.commands.execute(.recordAnswer(answer, person: nil), Writer.request)
            }
        }
        let second = try await Writer(backend)
        try await second.running {
            let repeated = try await second.createRun(token("k"))
            #expect(repeated.id == run && repeated.receipt.isRepeated)
            #expect(try await second.commands.recordedAnswer(answer.token, .default) == answer)
        }
    }

    @Test func keysAreForgottenWhenTheyAreOld() async throws {
        let writer = try await Writer()
        try await writer.running {
            for number in 0..<30 { _ = try await writer.createRun(token("k\(number)")) }
            #expect(try await writer.createRun(token("k0")).receipt.isRepeated)
            writer.clock.set { $0.adding(.seconds(400 * 86_400)) }
            #expect(try await writer.createRun(token("k29")).receipt.isRepeated == false)
        }
    }

    @Test func aRefusedRequestLeavesItsKeyFree() async throws {
        let writer = try await Writer()
        try await writer.running {
            let missing: RunID = writer.commands.newID()
            let error = await refusal { try await writer.say(missing, token("k", 1)) }
            guard case .rejected = error else { return #expect(Bool(false), "\(String(describing: error))") }
            let second = try await writer.createRun(token("k", 2))
            #expect(!second.receipt.isRepeated)
        }
    }
}

extension Writer {
    /// Uses new keys of a principal until one is refused.
    fileprivate func useKeys(of scope: UInt64) async throws -> (used: Int, refusal: RejectionErrorCode?) {
        for number in 0..<1000 {
            let error = await refusal { try await createRun(token("key-\(number)", scope: scope)).receipt }
            guard let error else { continue }
            guard case .rejected(let rejection) = error else { throw error }
            return (number, rejection.code)
        }
        return (1000, nil)
    }
}

/// Why the command was not carried out; `nil` when it was.
private func refusal(_ body: () async throws -> Receipt) async -> CommandError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? CommandError
    }
}

/// The value that `body` hands over.
private func collected<Value>(_ body: ((Value) -> Void) async throws -> Void) async throws -> Value {
    var value: Value?
    try await body { value = $0 }
    return try #require(value)
}
