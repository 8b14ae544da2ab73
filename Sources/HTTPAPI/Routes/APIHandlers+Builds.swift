import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Hummingbird
import Ingestion
import Projections

extension APIHandlers {
    static let buildIDPrefix = "build-"
    private static let notFound = "build not found"

    /// Puts a build in the queue; what it makes has its name from now on.
    func requestBuild(_ request: APIRequest) async throws -> APIAnswer {
        let content = try await content(request)
        let requested = BuildRequested(name: content.name, image: content.image, document: content.document)
        let id: BuildID = commands.newID()
        let receipt = try await execute(.requestBuild(id: id, requested), request)
        let known = receipt.events.first.map { BuildID($0.event.stream.id) } ?? id
        return APIAnswer(.accepted, try await build(known, request).json, position: receipt.position)
    }

    /// Newest first, unless another order is asked for.
    func listBuilds(_ request: APIRequest) async throws -> Response {
        try checkNotOfOneAgent(request)
        let (workspace, limit) = (request.workspace, try request.listLimit())
        let status = try request.query("status").map { text throws(APIError) in
            guard let status = BuildStatus(rawValue: text.uppercased()) else {
                let known = BuildStatus.allCases.map(\.rawValue).joined(separator: ", ")
                throw .badRequest("status must be one of \(known)")
            }
            return status
        }
        let order = try request.order(BuildField.createdAt, isDescending: true)
        let start = try await listStart(request, by: order)
        let page = { @Sendable [projections] (after: ListPlace?, limit: Int) in
            try await projections.builds(status: status, by: order, after: after, limit: limit, in: workspace)
        }
        guard let limit else {
            let list = WholeList(after: start, place: { $0.place(by: order.field) }, json: \.json, read: page)
            return try await wholeList(list, request)
        }
        return try listPage(try await page(start, limit), request, cursor: \.position, \.json)
    }

    func getBuild(_ request: APIRequest) async throws -> APIAnswer {
        try checkNotOfOneAgent(request)
        let record = try await build(try Self.id(request), request)
        let dockerfile = dependencies.agentRecords.imageRecipe(record.document.value)
        return APIAnswer(.ok, record.json(dockerfile: dockerfile))
    }

    /// The end of what the package installer and the builder of images said.
    func getBuildLog(_ request: APIRequest) async throws -> APIAnswer {
        try checkNotOfOneAgent(request)
        let record = try await build(try Self.id(request), request)
        let answer = JSONText.object { json in
            json.add("id", Self.buildIDPrefix + record.id.description)
            json.add("status", record.status.rawValue)
            json.add("logs", record.log)
        }
        return APIAnswer(.ok, answer)
    }

    func cancelBuild(_ request: APIRequest) async throws -> APIAnswer {
        let id = try Self.id(request)
        let finished = BuildFinished(error: "cancelled by \(request.principal.name)", log: "")
        do {
            let receipt = try await execute(.finishBuild(id, finished), request)
            return APIAnswer(.ok, try await build(id, request).json, position: receipt.position)
        } catch CommandError.rejected(let rejection) where rejection.code == .buildNotOpen {
            let record = try await build(id, request)
            throw APIError(
                .conflict, code: rejection.code.rawValue,
                "build is \(record.status.rawValue), must be PENDING or BUILDING to cancel")
        }
    }

    /// How the agent of a build is run: from its sources, or in its container image.
    enum ExecutionMode: String, CaseIterable {
        case bundle
        case image
    }

    /// What a deploy has of a build.
    struct Artifact {
        let build: BuildRecord
        let mode: ExecutionMode
    }

    /// A deploy's body with what the build that its `artifact_id` names has made.
    func withArtifact(_ request: APIRequest) async throws -> (body: JSONValue, artifact: Artifact?) {
        let mode = try Self.executionMode(request.body)
        guard let artifact = try request.body.text("artifact_id") else { return (request.body, nil) }
        guard let record = try await build(named: artifact, request) else {
            throw APIError.badRequest(
                "artifact_id \(artifact.excerpt) is no build of this workspace: name one of GET /builds")
        }
        guard record.status == .succeeded else {
            throw APIError.conflict("build is \(record.status.rawValue), must be SUCCEEDED to be deployed")
        }
        guard case .object(let given) = request.body, case .object(var built) = record.document.value else {
            return (request.body, nil)
        }
        let names = Set(built.map(\.name)).union(["requirements", "entry_point", "source_files"])
        if mode == .image {
            guard record.imageID != nil else {
                throw APIError.conflict(
                    "the build has no container image to run; its image_error says why, if anything")
            }
            built = [.init(name: "image", value: .string(record.image))]
        }
        let rest = given.filter { !names.contains($0.name) && (mode == .bundle || $0.name != "image") }
        return (.object(rest + built), Artifact(build: record, mode: mode))
    }

    /// The build that an `artifact_id` names; `nil` when it names none.
    func build(named artifact: String, _ request: APIRequest) async throws -> BuildRecord? {
        guard artifact.hasPrefix(Self.buildIDPrefix),
            let id = BuildID(String(artifact.dropFirst(Self.buildIDPrefix.count)))
        else { return nil }
        return try await projections.build(id, in: request.workspace)
    }

    private static func executionMode(_ body: JSONValue) throws(APIError) -> ExecutionMode {
        guard let text = try body.text("execution_mode") else { return .bundle }
        guard let mode = ExecutionMode(rawValue: text) else {
            let known = ExecutionMode.allCases.map(\.rawValue).joined(separator: " or ")
            throw .badRequest("execution_mode must be \(known)")
        }
        return mode
    }

    private func content(_ request: APIRequest) async throws(APIError) -> BuildContent {
        let body = request.body
        let (name, entryPoint) = (try body.requiredText("name"), try body.text("entry_point"))
        let (requirements, framework) = (try body.text("requirements"), try body.text("framework"))
        let files: SourceFiles
        do throws(InvalidSources) { files = try SourceFiles(body["files"], field: "files") } catch {
            throw .badRequest(error.message)
        }
        let found = try await found(in: files.value, "files", named: [requirements, entryPoint], request)
        do throws(InvalidSources) {
            return try BuildContent(
                name: name, files: files, entryPoint: entryPoint, requirements: requirements, framework: framework,
                found: found, recipe: dependencies.agentRecords.imageRecipe)
        } catch {
            throw .badRequest(error.message)
        }
    }

    private static func id(_ request: APIRequest) throws(APIError) -> BuildID {
        try request.identifier("id", prefix: buildIDPrefix, orNotFound: notFound)
    }

    private func build(_ id: BuildID, _ request: APIRequest) async throws -> BuildRecord {
        guard let record = try await projections.build(id, in: request.workspace) else {
            throw APIError.notFound(Self.notFound)
        }
        return record
    }
}

extension BuildRecord {
    fileprivate var json: JSONText { json(dockerfile: nil) }

    fileprivate func json(dockerfile: String?) -> JSONText {
        .object { json in
            json.add("id", APIHandlers.buildIDPrefix + id.description)
            json.add("name", name)
            json.add("status", status.rawValue)
            json.add("image", image)
            json.add("image_id", imageID)
            json.add("image_error", imageError)
            json.add("error", error)
            json.add("created_at", createdAt)
            json.add("started_at", startedAt)
            json.add("completed_at", completedAt)
            json.add("dockerfile", dockerfile)
        }
    }
}
