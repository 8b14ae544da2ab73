import Domain
import Projections

/// A model alias as it is stored: the provider and the model that it leads to.
enum ModelAliasDocument {
    static func document(_ body: JSONValue) throws(APIError) -> JSONText {
        guard let spec = try body.object("spec") else { throw .badRequest("spec is required") }
        var members: [JSONValue.Member] = [
            .init(name: "provider", value: .string(try spec.requiredText("provider")))
        ]
        if let model = try spec.text("model"), !model.isEmpty {
            guard !model.utf8.contains(UInt8(ascii: "*")) else {
                throw .badRequest(
                    "spec.model must be one model: leave it out to ask the provider for the name that is asked for")
            }
            members.append(.init(name: "model", value: .string(model)))
        }
        return JSONValue.object([.init(name: "spec", value: .object(members))]).text
    }
}

extension APIHandlers {
    /// Creates or replaces the alias that the path names.
    func putModelAlias(_ request: APIRequest) async throws -> APIAnswer {
        let name = try request.restOfPath()
        guard try request.body.text("name").map({ $0 == name }) ?? true else {
            throw APIError.badRequest("name must be that of the path, or left out: an alias keeps its name")
        }
        return try await store(.modelAlias, named: name, try ModelAliasDocument.document(request.body), request)
    }

    /// Checks that the providers that aliases lead to are registered.
    func checkProviders(of aliases: [ResourcesToStore.Item], _ request: APIRequest) async throws {
        for alias in aliases where alias.kind == .modelAlias {
            let provider = alias.document.value["spec"]?["provider"]?.string ?? ""
            guard try await projections.resource(.modelProvider, named: provider, in: request.workspace) != nil else {
                throw APIError.badRequest(
                    "spec.provider \"\(provider.excerpt)\" is no model provider of the workspace: register it first")
            }
        }
    }
}
