import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Projections

extension APIHandlers {
    /// Stores the agent and the tools it brings, all or nothing; the same name again is a redeploy.
    func deploy(_ request: APIRequest) async throws -> APIAnswer {
        let (order, resources, artifact) = try await deployment(request)
        let policies = try await seedPolicies(for: order, resources, request)
        let receipt = try await execute(resources, request)
        return try await deployAnswer(
            order.agentName, receipt, toolsCreated: order.tools.map(\.name), policiesCreated: policies,
            artifact: artifact, request)
    }

    /// The deploy that a body asks for, filled up from the draft that it names, checked; and what is stored by it, which
    /// completes the draft. With what it has of a build, when it names one.
    ///
    /// - Parameter inheritance: what an agent of that name keeps; by default, what the body does not name.
    func deployment(
        _ request: APIRequest, keeping inheritance: AgentInheritance? = nil
    ) async throws -> (order: DeployOrder, resources: ResourcesToStore, artifact: Artifact?) {
        let request = request.with(body: try DeployOrder.normalized(request.body), idempotency: request.idempotency)
        guard let id = try request.body.text("draft_id") else {
            let (order, artifact) = try await order(request, keeping: inheritance)
            return (order, ResourcesToStore(order.resources), artifact)
        }
        guard let record = try await projections.resource(.deployDraft, named: id, in: request.workspace) else {
            throw APIError.badRequest("draft_id names no draft: deploy draft \(id.excerpt) not found")
        }
        return try await deployment(of: record, request)
    }

    /// Seeds an echo tool and a playground model; what exists already stays as it is.
    func starterKit(_ request: APIRequest) async throws -> APIAnswer {
        let receipt = try await execute(starterKitResources(request), request)
        let created = receipt.stored
        let answer = JSONText.object { json in
            json.add("status", "ok")
            json.add("message", created.isEmpty ? "the starter kit is in place" : "the starter kit was created")
            json.add("tools_created", created.filter { $0.kind == .tool }.map(\.name))
            json.add("model_providers_created", created.filter { $0.kind == .modelProvider }.map(\.name))
            json.add("tool_created", "echo-tool")
            json.add("model_provider_created", "playground-llm")
        }
        return APIAnswer(request.era == .v1 ? .created : .ok, answer, position: receipt.position)
    }

    func starterKitResources(_ request: APIRequest) -> ResourcesToStore {
        let tool = ResourcesToStore.Item(
            kind: .tool, name: "echo-tool",
            document: Self.echoTool(at: echoURL(request.channel), port: echoPort(request.channel)))
        let provider = ResourcesToStore.Item(
            kind: .modelProvider, name: "playground-llm", document: JSONText(verified: Self.playgroundProvider))
        return ResourcesToStore([tool, provider], keepsExisting: true)
    }

    private static func echoTool(at url: String, port: Int) -> JSONText {
        .object { json in
            json.add(
                "spec",
                JSONText.object { spec in
                    spec.add("description", "Answers with what it is sent")
                    spec.add(
                        "connection",
                        JSONText.object { connection in
                            connection.add("topology", "External")
                            connection.add("baseUrl", url)
                            connection.add("port", port)
                            connection.add("scheme", "HTTP")
                            connection.add("authentication", JSONText.object { $0.add("type", "None") })
                        })
                    spec.add(
                        "governance",
                        JSONText.object { $0.add("accessControl", JSONText.object { $0.add("mode", "Open") }) })
                })
        }
    }

    private static let playgroundProvider = """
        {"spec":{"provider":"playground","models":["playground"],"auth":{"type":"None"}}}
        """
}
