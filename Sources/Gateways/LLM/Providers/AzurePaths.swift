import Domain
import Governance

/// The addresses of Azure's OpenAI API, which name a deployment and a version of the API.
struct AzurePaths: Hashable, Sendable {
    static let kinds: Set<String> = ["azure", "azure-openai", "azure_openai"]
    static let keyHeader = "api-key"
    static let basePath = "/openai"
    /// The newest version that is generally available, and no preview.
    private static let versionDefault = "2024-10-21"
    private static let versionName = "api-version"

    private let version: String?

    /// `nil` for a kind of provider that is not Azure's.
    init?(kind: String, version: String?) {
        guard Self.kinds.contains(kind) else { return nil }
        self.version = version
    }

    /// The path of a call below the base: with the model as the deployment, unless the endpoint names one, or is that of the
    /// API without deployments.
    func callPath(_ operationPath: String, of model: String, below endpoint: String?) -> String {
        guard let endpoint, let base = try? NormalizedURL(endpoint) else { return operationPath }
        var path = base.path[...]
        while path.hasSuffix("/") { path.removeLast() }
        guard path.isEmpty || path.hasSuffix(Self.basePath) else { return operationPath }
        return "deployments/\(PercentEncoding.encode(model))/\(operationPath)"
    }

    /// The endpoint's query with the version of the API.
    func query(_ query: String?, path: String) -> String? {
        let isNamed = (query ?? "").split(separator: "&").contains { $0.hasPrefix(Self.versionName + "=") }
        let isVersioned = path.hasSuffix(Self.basePath + "/v1")
        guard !isNamed, !isVersioned || version != nil else { return query }
        let parameter = "\(Self.versionName)=\(PercentEncoding.encode(version ?? Self.versionDefault))"
        return [query, parameter].compactMap(\.self).filter { !$0.isEmpty }.joined(separator: "&")
    }
}
