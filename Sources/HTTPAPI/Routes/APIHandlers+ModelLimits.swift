import CommandHandling
import Domain
import EventStreaming
import Gateways
import HTTPTypes
import Projections

/// Limits of calls of models for keys, users and models. Each is a setting of its workspace, so that a change is an event.
extension APIHandlers {
    func listModelLimits(_ request: APIRequest) async throws -> APIAnswer {
        let records = try await projections.resources(.settings, in: request.workspace)
        return APIAnswer(.ok, JSONText(array: records.compactMap(Self.limit)))
    }

    func getModelLimit(_ request: APIRequest) async throws -> APIAnswer {
        APIAnswer(.ok, try await limit(try request.parameter("name"), request))
    }

    /// Creates or replaces the limit of that name.
    func putModelLimit(_ request: APIRequest) async throws -> APIAnswer {
        let name = try request.parameter("name")
        guard try request.body.text("name").map({ $0 == name }) ?? true else {
            throw APIError.badRequest("name must be that of the path, or left out: a limit keeps its name")
        }
        guard let spec = try request.body.object("spec") else { throw APIError.badRequest("spec is required") }
        do throws(InvalidModelLimit) {
            _ = try ModelLimit(name: name, spec: spec)
        } catch {
            throw APIError.badRequest("spec\(error.message)")
        }
        let document = JSONValue.object([.init(name: "spec", value: spec)]).text
        let item = ResourcesToStore.Item(kind: .settings, name: Self.settingsName(name), document: document)
        let receipt = try await execute(ResourcesToStore([item]), request)
        return APIAnswer(.ok, try await limit(name, request), position: receipt.position)
    }

    func deleteModelLimit(_ request: APIRequest) async throws -> APIAnswer {
        let name = try request.parameter("name")
        do {
            let command = Command.deleteResource(kind: .settings, name: Self.settingsName(name))
            let receipt = try await execute(command, request)
            return APIAnswer(.ok, .object { $0.add("status", "deleted") }, position: receipt.position)
        } catch CommandError.rejected(let rejection) where rejection.code == .resourceNotFound {
            throw Self.limitNotFound(name)
        }
    }

    private func limit(_ name: String, _ request: APIRequest) async throws -> JSONText {
        let stored = Self.settingsName(name)
        guard let record = try await projections.resource(.settings, named: stored, in: request.workspace),
            let limit = Self.limit(record)
        else { throw Self.limitNotFound(name) }
        return limit
    }

    private static func limit(_ record: ResourceRecord) -> JSONText? {
        let prefix = ModelLimitsCache.settingsPrefix
        guard record.name.hasPrefix(prefix) else { return nil }
        return .object { json in
            json.add("name", String(record.name.dropFirst(prefix.count)))
            json.add("spec", (record.document.value["spec"] ?? .object([])).text)
            json.add("created_at", record.createdAt)
            json.add("updated_at", record.updatedAt)
        }
    }

    private static func settingsName(_ name: String) -> String { ModelLimitsCache.settingsPrefix + name }

    private static func limitNotFound(_ name: String) -> APIError {
        .notFound("model limit \"\(name.prefix(253))\" not found")
    }
}
