import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Projections

extension APIHandlers {
    /// Stores the agent and the tools it brings, all or nothing; the same name again is a redeploy.
    func deploy(_ request: APIRequest) async throws -> APIAnswer {
        let (order, resources, artifact) = try await deployment(request)
        let receipt = try await execute(resources, request)
        let answer = JSONText.object { json in
            json.add("agent", order.agentName)
            json.add("namespace", request.workspace.text)
            json.add("tools_created", order.tools.map(\.name))
            if let artifact {
                json.add("build_id", Self.buildIDPrefix + artifact.build.id.description)
                json.add("image_uri", artifact.build.image)
                json.add("execution_mode", artifact.mode.rawValue)
                json.add("build_required", false)
            }
            guard request.era == .v1alpha else { return }
            json.add("agent_name", order.agentName)
            json.add("status", "deployed")
            json.add("message", "agent \(order.agentName) deployed")
        }
        return APIAnswer(.created, answer, position: receipt.position)
    }

    /// The deploy that a body asks for, filled up from the draft that it names, checked; and what is stored by it, which
    /// completes the draft. With what it has of a build, when it names one.
    func deployment(
        _ request: APIRequest
    ) async throws -> (order: DeployOrder, resources: ResourcesToStore, artifact: Artifact?) {
        let (body, artifact) = try await withArtifact(request)
        let request = request.with(body: body, idempotency: request.idempotency)
        guard let id = try request.body.text("draft_id") else {
            let order = try DeployOrder(request.body)
            try await checkIdentityProvider(request)
            return (order, ResourcesToStore(order.resources), artifact)
        }
        guard let record = try await projections.resource(.deployDraft, named: id, in: request.workspace) else {
            throw APIError.badRequest("draft_id names no draft: deploy draft \(id.excerpt) not found")
        }
        let (order, resources) = try await deployment(of: record, request)
        return (order, resources, artifact)
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
