import AsyncHTTPClient
import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import NIOCore
import NIOHTTP1
import Projections

extension APIHandlers {
    private static let probeTimeout = TimeAmount.seconds(5)

    /// Whether something answers at the URL: any status below 500, 401 and 403 included.
    func probe(_ request: APIRequest) async throws -> APIAnswer {
        let url = try request.body.requiredText("url")
        try checkURL(url, "url")
        return APIAnswer(.ok, Self.json(await probe(url)))
    }

    /// Probes a registered tool and records what was found.
    func testTool(_ request: APIRequest) async throws -> APIAnswer {
        let name = try request.parameter("name")
        let tool = try await resource(.tool, name, request, notFound: Self.notFound(.tool, name))
        guard let url = tool.document.value["spec"]?["connection"]?["baseUrl"]?.string else {
            throw APIError.badRequest("tool \"\(name)\" has no base URL")
        }
        let found = await probe(url)
        let status = ResourceStatusRecorded(
            kind: .tool, name: name, phase: found.isReachable ? "Available" : "Unavailable", message: found.error,
            latencyMilliseconds: found.milliseconds)
        let receipt = try await execute(.recordResourceStatus(status), request)
        return APIAnswer(.ok, Self.json(found), position: receipt.position)
    }

    private struct Probe {
        var statusCode: UInt?
        var milliseconds: UInt64
        var error: String?

        var isReachable: Bool { statusCode.map { $0 < 500 } ?? false }
    }

    private func probe(_ url: String) async -> Probe {
        let start = ContinuousClock.now
        func elapsed() -> UInt64 { UInt64(start.duration(to: .now) / .milliseconds(1)) }
        do {
            let response = try await dependencies.client.execute(
                HTTPClientRequest(url: url), timeout: Self.probeTimeout)
            return Probe(statusCode: response.status.code, milliseconds: elapsed(), error: nil)
        } catch {
            return Probe(statusCode: nil, milliseconds: elapsed(), error: "no answer: \(error)")
        }
    }

    private static func json(_ probe: Probe) -> JSONText {
        .object { json in
            json.add("reachable", probe.isReachable)
            json.add("status_code", probe.statusCode ?? 0)
            json.add("latency_ms", probe.milliseconds)
            json.add("error", probe.error)
        }
    }
}
