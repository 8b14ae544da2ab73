import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Ingestion
import Projections

extension APIHandlers {
    static let analysisIDPrefix = "analysis-"

    /// Says what is in the sources, and keeps that for an hour; the sources are not kept.
    func analyze(_ request: APIRequest) async throws -> APIAnswer {
        let found = try await found(request)
        let id: AnalysisID = commands.newID()
        let receipt = try await execute(.recordAnalysis(id: id, document: found.text), request)
        guard let first = receipt.events.first, case .sourcesAnalyzed(let analyzed) = first.event.payload else {
            throw APIError.conflict("this Idempotency-Key was used for something else")
        }
        return APIAnswer(
            .created, Self.json(AnalysisID(first.event.stream.id), analyzed.document, analyzed.expiresAt),
            position: receipt.position)
    }

    func getAnalysis(_ request: APIRequest) async throws -> APIAnswer {
        try checkNotOfOneAgent(request)
        let id: AnalysisID = try request.identifier(
            "id", prefix: Self.analysisIDPrefix, orNotFound: "analysis not found")
        guard let record = try await projections.analysis(id, in: request.workspace),
            now < record.expiresAt
        else { throw APIError.notFound("analysis not found") }
        return APIAnswer(.ok, Self.json(id, record.document, record.expiresAt))
    }

    /// The packages that the sources need, and where they begin; nothing is kept.
    func requirements(_ request: APIRequest) async throws -> APIAnswer {
        let found = try await found(request)
        let answer = JSONText.object { json in
            json.add("requirements", (found["detected_requirements"] ?? .array([])).text)
            json.add("entry_point", found["entry_point"]?.string ?? "")
        }
        return APIAnswer(.ok, answer)
    }

    private func found(_ request: APIRequest) async throws(APIError) -> JSONValue {
        let files: SourceFiles
        do throws(InvalidSources) {
            files = try SourceFiles(request.body["files"], field: "files")
        } catch {
            throw .badRequest(error.message)
        }
        do throws(AnalysisFailure) {
            return try await dependencies.analyzer.analyze(files, for: request.principal.caller)
        } catch {
            throw APIError(error)
        }
    }

    private static func json(_ id: AnalysisID, _ document: JSONText, _ expiresAt: Timestamp) -> JSONText {
        let found = if case .object(let members) = document.value { members } else { [JSONValue.Member]() }
        return JSONText.object { json in
            json.add("id", analysisIDPrefix + id.description)
            for member in found { json.add(member.name, member.value.text) }
            json.add("expires_at", expiresAt)
        }
    }
}

extension APIError {
    init(_ failure: AnalysisFailure) {
        switch failure {
        case .unavailable(let reason):
            self.init(
                .serviceUnavailable, .analysisUnavailable,
                "sources cannot be analysed on this machine: \(reason)")
            self = retryAfter(seconds: 300)
        case .busy:
            self.init(
                .tooManyRequests, .tooManyRequests, "too many analyses are running; try again in a moment")
            self = retryAfter(seconds: 2)
        case .tookTooLong:
            self.init(
                .badRequest, .analysisFailed, "the analysis of these files took too long; send fewer or smaller ones")
        case .failed(let reason):
            self.init(
                .badRequest, .analysisFailed,
                "these files cannot be analysed (\(reason)); leave out those that are generated or very large")
        }
    }
}

extension APIRequest {
    /// A path parameter that is an id with a prefix, which may be left out.
    func identifier<Entity>(
        _ name: String, prefix: String, orNotFound message: String
    ) throws(APIError) -> Identifier<Entity> {
        let text = try parameter(name)
        let bare = text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
        guard let id = Identifier<Entity>(bare) else { throw .notFound(message) }
        return id
    }
}
