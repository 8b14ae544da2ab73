import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// The ceiling that the API's throughput is held against: bare Hummingbird, a JSON body decoded and encoded again, or
/// the bytes of a file. Arguments: the port, and the file.
@main
struct EchoServer {
    private struct Event: ResponseCodable {
        let type: String
        let actor: String?
        let data: [String: String]
    }

    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        let port = arguments.first.flatMap(Int.init) ?? 8093
        let body = try arguments.dropFirst().first.map { ByteBuffer(bytes: try Data(contentsOf: URL(filePath: $0))) }
        let router = Router()
        router.post("/echo") { request, context in try await request.decode(as: Event.self, context: context) }
        router.get("/body") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: body ?? ByteBuffer()))
        }
        var logger = Logger(label: "echo")
        logger.logLevel = .error
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)), logger: logger)
        try await application.run()
    }
}
