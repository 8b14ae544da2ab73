import Domain
import EventStreaming
import HTTPTypes
import Hummingbird
import NIOCore
import Projections
import ServiceLifecycle

/// What is asked of one agent, under `/agents/{name}/…`, and under `/api/agents/{namespace}/{name}/…`.
extension APIHandlers {
    /// Where a run has to call the agent: the address that it was deployed with, or Sluice's own process of it.
    ///
    /// - Throws: 404 when there is no such agent, 409 when there is no way to call it.
    func invokeURL(ofAgent name: String, _ request: APIRequest, notFound: String? = nil) async throws -> String {
        let agent = try await resource(.agent, name, request, notFound: notFound ?? Self.notFound(.agent, name))
        let document = agent.document.value
        if let address = document["invoke_url"]?.string { return address }
        // An agent that is deployed without sources has an image.
        let runsImages = await dependencies.agentRecords.runsImages()
        guard agent.hasSources || runsImages || agent.servingRevision != nil else {
            throw APIError.conflict(
                "agent \(name.excerpt) has nothing to call: deploy it with source_files, for Sluice to run it, or with "
                    + "the invoke_url where it runs; no container engine is here to run its image")
        }
        return AgentAddress.invokeURL(ofAgent: name)
    }

    /// A part of what the agent has written, from an offset or from the last lines on; the stream of it, with `follow`.
    func agentOutput(_ request: APIRequest) async throws -> Response {
        let agent = try await agentWithRecords(request)
        let after = try await firstOffset(ofOutput: agent, request)
        switch request.query("follow") {
        case "true", "1": return try followOutput(agent, after: after, request)
        case nil, "false", "0": break
        default: throw APIError.badRequest("follow must be true or false")
        }
        guard let page = try await dependencies.agentRecords.output(agent, after, false) else {
            throw APIError.notFound(Self.notFound(.agent, agent.name))
        }
        return APIAnswer(
            .ok,
            .object { json in
                json.add("text", page.text)
                json.add("next", page.next)
            }
        ).response
    }

    private func firstOffset(ofOutput agent: AgentIdentity, _ request: APIRequest) async throws -> UInt64 {
        let after = try request.query("after", in: 0...UInt64.max >> 1)
        guard let count = try request.query("tail", in: 0...UInt64.max >> 1) else { return after ?? 0 }
        guard after == nil else { throw APIError.badRequest("after and tail exclude each other") }
        guard let offset = try await dependencies.agentRecords.lastLines(agent, count) else {
            throw APIError.notFound(Self.notFound(.agent, agent.name))
        }
        return offset
    }

    func agentBuildLog(_ request: APIRequest) async throws -> APIAnswer {
        let agent = try await agentWithRecords(request)
        guard let text = try await dependencies.agentRecords.buildLog(agent) else {
            throw APIError.notFound(Self.notFound(.agent, agent.name))
        }
        return APIAnswer(.ok, .object { $0.add("text", text) })
    }

    /// The agent's name, and what is said when there is none: in the older paths it is the second part.
    ///
    /// - Throws: 403 for a key that speaks for another agent.
    func agentName(_ request: APIRequest) throws -> (name: String, notFound: String) {
        let first = try request.parameter("name")
        guard request.hasParameter("second") else {
            _ = try agentID(first, request)
            return (first, Self.notFound(.agent, first))
        }
        let name = try request.parameter("second")
        let missing = "agent \(first.excerpt)/\(name.excerpt) not found"
        guard first == request.workspace.text else { throw APIError.notFound(missing) }
        _ = try agentID(name, request)
        return (name, missing)
    }

    private func agentWithRecords(_ request: APIRequest) async throws -> AgentIdentity {
        let (name, missing) = try agentName(request)
        guard try await resource(.agent, name, request, notFound: missing).isRunHere else {
            throw APIError.conflict(
                "agent \(name.excerpt) is not run by Sluice: what it writes is where it runs. Deploy it with "
                    + "source_files to have it here")
        }
        return AgentIdentity(workspace: request.workspace, name: name)
    }

    /// Sends lines as they come, until the client goes or loses its access, the agent is deleted or the server shut down.
    private func followOutput(_ agent: AgentIdentity, after start: UInt64, _ request: APIRequest) throws -> Response {
        let (place, channel) = (try takeStreamPlace(request), request.channel)
        let records = dependencies.agentRecords
        let headers: HTTPFields = [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"]
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                defer { withExtendedLifetime(place) {} }
                let stream = StreamWriter(writer, channel)
                await whileConnected(channel) {
                    var offset = start
                    // However it ends: whoever asks again from where it was misses nothing.
                    while let page = try? await records.output(agent, offset, true), !page.text.isEmpty {
                        do { try await stream.write(page.text) } catch { return }
                        offset = page.next
                    }
                }
                try await writer.finish(nil)
            })
    }
}

/// Runs the body; cancels it when the client's connection closes or the server is shut down.
private func whileConnected(_ channel: any Channel, _ body: @escaping @Sendable () async -> Void) async {
    let (open, continuation) = AsyncStream<Never>.makeStream()
    channel.closeFuture.whenComplete { _ in continuation.finish() }
    await cancelWhenGracefulShutdown {
        await StreamDeparture.watching(channel) {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    await body()
                    continuation.finish()
                }
                for await _ in open {}
                group.cancelAll()
            }
        }
    }
}
