import CommandHandling
import Domain
import EventStreaming
import HTTPTypes

extension APIHandlers {
    func getClock(_ request: APIRequest) async throws -> APIAnswer { APIAnswer(.ok, dependencies.clock.state().json) }

    /// Has events follow the wall clock again after a step of it, named by its time so that no later step is confirmed.
    ///
    /// Events do not go back: where the wall clock is behind the newest one, they keep its time, as the answer says.
    func confirmClock(_ request: APIRequest) async throws -> APIAnswer {
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
        clock.confirm(step, request.commandRequest.actor)
        return APIAnswer(.ok, clock.state().json)
    }

    /// Maximum distance of the confirmed time from the wall clock's: a person reads, thinks and types in between.
    private static let confirmationWindow = Duration.seconds(600)
}

extension ClockState {
    /// The warning about a step, or about events that are ahead of the wall clock; `nil` when there is none.
    var warning: String? {
        let consequence =
            "keep the time \(newestEvent) until the wall clock passes it, and what begins before that ends by as much later"
        guard let step else { return isBehindEvents ? "events \(consequence)" : nil }
        return "the wall clock stepped by \(step.components.seconds) s; events do not follow it until it is set right "
            + "or confirmed with `sluice clock confirm`"
            + (isBehindEvents ? ": once it is confirmed, they \(consequence)" : "")
    }

    fileprivate var json: JSONText {
        .object { json in
            json.add("event_time", eventTime.description)
            json.add("wall_time", wallTime.description)
            json.add("follows_wall_clock", step == nil)
            json.add("step_seconds", step.map { Int($0.components.seconds) } ?? 0)
            if let warning { json.add("warning", warning) }
        }
    }
}
