import CommandHandling
import Domain
import EventStreaming
import Governance
import HTTPTypes
import Outbound
import Projections

extension APIHandlers {
    private static let probeTimeout = Duration.seconds(5)

    /// Whether something answers at the URL: any status below 500, 401 and 403 included.
    func probe(_ request: APIRequest) async throws -> APIAnswer {
        let url = try request.body.requiredText("url")
        try checkURL(url, "url")
        let found = await probe(url, isInternal: false)
        if let refusal = found.refusal { throw APIError.badRequest("url: \(refusal)") }
        return APIAnswer(.ok, Self.json(found))
    }

    /// Probes a registered tool and records what was found.
    func testTool(_ request: APIRequest) async throws -> APIAnswer {
        let name = try request.parameter("name")
        let tool = try await resource(.tool, name, request, notFound: Self.notFound(.tool, name))
        let connection = tool.document.value["spec"]?["connection"]
        guard let url = connection?["baseUrl"]?.string else {
            throw APIError.badRequest("tool \"\(name)\" has no base URL")
        }
        let found = await probe(
            url, isInternal: connection?["topology"]?.string?.lowercased() == "internal")
        let status = ResourceStatusRecorded(
            kind: .tool, name: name, phase: found.isReachable ? "Available" : "Unavailable", message: found.error,
            latencyMilliseconds: found.milliseconds)
        let receipt = try await execute(.recordResourceStatus(status), request)
        return APIAnswer(.ok, Self.json(found), position: receipt.position)
    }

    private struct Probe {
        var statusCode: Int?
        var milliseconds: UInt64
        var error: String?
        /// The advice when the address is not permitted.
        var refusal: String?

        var isReachable: Bool { statusCode.map { $0 < 500 } ?? false }
    }

    private func probe(_ url: String, isInternal: Bool) async -> Probe {
        let start = ContinuousClock.now
        func elapsed() -> UInt64 { UInt64(start.duration(to: .now) / .milliseconds(1)) }
        do throws(OutboundError) {
            let response = try await dependencies.client.execute(
                OutboundRequest(
                    "GET", OutboundURL.escaping(url), addresses: AddressPolicy(isInternal: isInternal),
                    limits: OutboundLimits(headTimeout: Self.probeTimeout)))
            return Probe(statusCode: response.status, milliseconds: elapsed(), error: nil)
        } catch {
            guard case .addressRefused(let refusal) = error else {
                return Probe(statusCode: nil, milliseconds: elapsed(), error: "no answer: \(error)")
            }
            let reason = refusal.reason(allowing: isInternal ? nil : "the tool with spec.connection.topology")
            return Probe(statusCode: nil, milliseconds: elapsed(), error: reason, refusal: reason)
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
