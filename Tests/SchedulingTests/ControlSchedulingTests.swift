import Domain
import Scheduling
import Testing

/// Stops as the scheduler carries them out, also after a restart.
@Suite struct ControlSchedulingTests {
    private func stopping(_ world: inout World, holdsRuns: Bool) -> Command {
        .stop(
            StopControl(
                id: world.newID(),
                ControlStopped(kind: .workspace, name: "default", reason: nil, holdsRuns: holdsRuns)))
    }

    @Test(arguments: [false, true])
    func aStopEndsTheAttemptsOfHeldRunsAndTheStartBringsThemBack(restarts: Bool) throws {
        var world = World()
        let run = try world.createRun()
        _ = try world.work()
        try world.send(stopping(&world, holdsRuns: true))
        if restarts { world.restart() }
        guard case .failInvoke(run, let failed)? = try world.work().first else {
            return #expect(Bool(false), "the attempt goes on")
        }
        #expect(failed.isStopped && world.state.runs[run]?.openInvoke == nil)
        let waiting = try world.createRun()
        world.now = world.now.adding(.seconds(3600))
        #expect(try world.work().isEmpty)
        if restarts { world.restart() }
        try world.send(.start(ControlStarted(kind: .workspace, name: "default", reason: nil)))
        #expect(Set(world.requestedInvokes(try world.work())) == [run, waiting])
    }

    @Test(arguments: [false, true])
    func aStopThatCancelsFailsEveryRun(restarts: Bool) throws {
        var world = World()
        let runs = [try world.createRun(), try world.createRun(invokeURL: nil)]
        _ = try world.work()
        try world.send(stopping(&world, holdsRuns: false))
        if restarts { world.restart() }
        #expect(try world.work().count == runs.count && world.state.runs.isEmpty)
    }

    @Test(arguments: [false, true])
    func theRunsOfADeletedAgentFail(restarts: Bool) throws {
        var world = World()
        try world.send(
            .storeResources(
                StoreResources(items: [
                    .init(kind: .agent, name: "a", newID: world.newID(), document: JSONText(verified: "{}"))
                ])))
        let run = try world.createRun()
        _ = try world.work()
        try world.send(.deleteResource(kind: .agent, name: "a"))
        if restarts { world.restart() }
        #expect(try world.work() == [.failRun(run: run, reason: "agent a was deleted")])
    }
}
