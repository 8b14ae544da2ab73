import ArgumentParser
import Daemon
import Domain

struct Clock: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare the time of events with the daemon's wall clock, and confirm a step of that.",
        discussion: """
            After a step of the wall clock, events continue as if there had been none, so that a wrong clock expires \
            nothing. They follow it again once it is set right, or once an admin confirms that it is right. The key that \
            this needs is read from SLUICE_API_KEY.
            """,
        subcommands: [Show.self, Confirm.self], defaultSubcommand: Show.self)

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show both times.")

        @OptionGroup var connection: Keys.Connection

        func run() async throws {
            try await reporting {
                Clock.show(try await connection.client().request("GET", "/api/v1/clock"))
            }
        }
    }

    struct Confirm: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have events follow the wall clock from now on: what is due by its time expires at once.")

        @OptionGroup var connection: Keys.Connection
        @Flag(help: "Do it: what expires then stays expired.") var yes = false

        func run() async throws {
            try await reporting {
                let client = try await connection.client()
                let clock = try await client.request("GET", "/api/v1/clock")
                guard clock["follows_wall_clock"] != .bool(true), yes else { return Clock.show(clock, asks: !yes) }
                let shown = clock["wall_time"] ?? .null
                Clock.show(
                    try await client.request(
                        "POST", "/api/v1/clock/confirm", .object([.init(name: "wall_time", value: shown)])))
            }
        }
    }

    private static func show(_ clock: JSONValue, asks: Bool = false) {
        sluice.show("events      \(clock["event_time"]?.string ?? "")")
        sluice.show("wall clock  \(clock["wall_time"]?.string ?? "")")
        tell(clock["warning"]?.string ?? "events follow the wall clock")
        if asks, clock["follows_wall_clock"] == .bool(false) { tell("add --yes when the wall clock's time is right") }
    }
}
