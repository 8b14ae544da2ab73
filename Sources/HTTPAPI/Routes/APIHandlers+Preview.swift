import Domain
import HTTPTypes

extension APIHandlers {
    /// What the same body sent to `deploy` would lead to, or why that would refuse it; nothing is stored or built.
    func previewDeploy(_ request: APIRequest) async throws -> APIAnswer {
        let (order, resources, _) = try await deployment(request)
        try await check(resources, request)
        let preview = DeployPreview(outlook: await dependencies.agentRecords.outlook(order.agent.value))
        return APIAnswer(.ok, preview.json)
    }
}
