import Hummingbird
import Logging

/// The ceiling that the API's throughput is held against: bare Hummingbird, a JSON body decoded and encoded again.
@main
struct EchoServer {
    private struct Event: ResponseCodable {
        let type: String
        let actor: String?
        let data: [String: String]
    }

    static func main() async throws {
        let port = CommandLine.arguments.dropFirst().first.flatMap(Int.init) ?? 8093
        let router = Router()
        router.post("/echo") { request, context in try await request.decode(as: Event.self, context: context) }
        var logger = Logger(label: "echo")
        logger.logLevel = .error
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)), logger: logger)
        try await application.run()
    }
}
