import ArgumentParser
import Daemon
import Domain
import Foundation

struct Erase: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Destroy the key of a person's data, and print the certificate that it is gone.",
        discussion: """
            Everything that the log says of the person can never be read again. Their runs stay, without what was in \
            them. An admin's key is read from SLUICE_API_KEY. Backups have the key until `sluice backup` runs again.
            """)

    private static let pause = Duration.milliseconds(200)

    @Argument(help: "The user id, as runs and tokens have it.") var userID: String
    @OptionGroup var connection: Keys.Connection
    @Option(help: "The workspace, when the key may choose one.") var workspace: String?
    @Flag(help: "Do it: nothing brings the data back.") var yes = false

    func validate() throws {
        guard yes else {
            throw ValidationError("nothing brings back what is erased: add --yes when \"\(userID)\" is the one")
        }
    }

    func run() async throws {
        try await reporting {
            let client = try await connection.client()
            let prefix = workspace.map { "/api/v1/workspaces/\($0.percentEncoded)" } ?? ""
            var erasure = try await client.request(
                "POST", prefix + "/erasures", .object([.init(name: "user_id", value: .string(userID))]))
            guard let id = erasure["id"]?.string else {
                throw DaemonError(.requestRefused, "the daemon's answer is no erasure")
            }
            while erasure["status"]?.string != "ERASED" {
                try await Task.sleep(for: Self.pause)
                erasure = try await client.request("GET", prefix + "/erasures/\(id)")
            }
            show(try await client.request("GET", prefix + "/erasures/\(id)/certificate").text.text)
        }
    }
}
