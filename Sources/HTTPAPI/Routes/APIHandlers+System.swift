import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Hummingbird
import NIOCore
import Projections

extension APIHandlers {
    func health() -> APIAnswer { Self.health(configuration) }

    /// The answer of a process that runs, whether or not it has started.
    static func health(_ configuration: HTTPAPIConfiguration) -> APIAnswer {
        APIAnswer(
            .ok,
            .object { json in
                json.add("status", "ok")
                json.add("version", configuration.version)
            })
    }

    /// Ready while the writer takes commands, the disk confirms its writes and the read models follow.
    func readiness() -> APIAnswer {
        if let refusal = commands.refusal { return notReady(APIError(refusal).message) }
        if let duration = commands.appendDuration, duration > configuration.appendStallTimeout {
            return notReady(
                "the disk has not confirmed a write of the log for \(duration.components.seconds) s: check it")
        }
        if let failure = projections.failure { return notReady(failure.description) }
        return APIAnswer(
            .ok,
            .object { json in
                json.add("status", "ready")
                json.add("position", projections.position.value)
                if let warning = dependencies.clock.state().warning { json.add("warning", warning) }
            })
    }

    func metrics() async -> Response {
        let text = await dependencies.metrics()
        return Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private func notReady(_ reason: String) -> APIAnswer {
        APIAnswer(
            .serviceUnavailable,
            .object { json in
                json.add("status", "not ready")
                json.add("error", reason)
            })
    }
}
