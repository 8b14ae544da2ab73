import CommandHandling
import Domain
import EventStreaming
import HTTPTypes

extension APIHandlers {
    func getClock(_ request: APIRequest) async throws -> APIAnswer { APIAnswer(.ok, dependencies.clock.state().json) }

    /// Has events follow the wall clock again after a step of it, named by its time so that no later step is confirmed.
    func confirmClock(_ request: APIRequest) async throws -> APIAnswer {
        guard request.principal.workspace == .default else {
            throw APIError(
                .forbidden, .forbidden, "the clock is every workspace's: use an admin key of the default one")
        }
        let clock = dependencies.clock
        let state = clock.state()
        let shown = try request.body.requiredText("wall_time")
        guard let time = Timestamp(rfc3339: shown) else {
            throw APIError.badRequest("wall_time must be an RFC 3339 time")
        }
        guard let step = state.step else { return APIAnswer(.ok, state.json) }
        let apart = state.wallTime.since(time)
        guard apart > .zero - Self.confirmationWindow, apart < Self.confirmationWindow else {
            throw APIError.conflict(
                "the wall clock shows \(state.wallTime) now, and not about \(time): look at it again, and confirm what it shows"
            )
        }
        let newest = clock.newestEvent()
        guard state.wallTime >= newest else {
            throw APIError.conflict(
                "the wall clock shows \(state.wallTime), which is before the newest event (\(newest)): events cannot go back, and "
                    + "continue after it until the wall clock is there")
        }
        clock.confirm(step, request.commandRequest.actor)
        return APIAnswer(.ok, clock.state().json)
    }

    /// Maximum distance of the confirmed time from the wall clock's: a person reads, thinks and types in between.
    private static let confirmationWindow = Duration.seconds(600)
}

extension ClockState {
    fileprivate var json: JSONText {
        .object { json in
            json.add("event_time", time.description)
            json.add("wall_time", wallTime.description)
            json.add("follows_wall_clock", step == nil)
            json.add("step_seconds", step.map { Int($0.components.seconds) } ?? 0)
        }
    }
}
