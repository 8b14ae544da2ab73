import Gateways

/// The connections of the gateways, closed together.
struct GatewayClients: Sendable {
    let tools: EgressClients
    let models: EgressClients
    let identities: EgressClients
    let connectors: EgressClients

    func shutdown() async throws {
        try await tools.shutdown()
        try await models.shutdown()
        try await identities.shutdown()
        try await connectors.shutdown()
    }
}
