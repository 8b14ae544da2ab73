import Authentication
import CommandHandling
import Domain
import EventStreaming
import Gateways
import HTTPTypes
import Projections

/// What a workspace has chosen about how people and programs come in.
extension APIHandlers {
    private static let authSettings = "auth"
    private static let idleMinutes = 5...10_080

    func getAuthSettings(_ request: APIRequest) async throws -> APIAnswer {
        APIAnswer(.ok, try await authSettings(request))
    }

    func changeAuthSettings(_ request: APIRequest) async throws -> APIAnswer {
        guard let minutes = try request.body.integer(AuthSettings.idleMember, in: Self.idleMinutes) else {
            throw APIError.badRequest("\(AuthSettings.idleMember) is required")
        }
        let document = JSONText.object { $0.add(AuthSettings.idleMember, minutes) }
        let item = ResourcesToStore.Item(kind: .settings, name: Self.authSettings, document: document)
        let receipt = try await execute(ResourcesToStore([item]), request)
        return APIAnswer(.ok, try await authSettings(request), position: receipt.position)
    }

    private func authSettings(_ request: APIRequest) async throws -> JSONText {
        let record = try await projections.resource(.settings, named: Self.authSettings, in: request.workspace)
        let settings = AuthSettings(document: record?.document.value)
        let keyCount = try await projections.apiKeys(in: request.workspace).count
        return .object { json in
            json.add(AuthSettings.idleMember, settings.sessionIdleMinutes)
            json.add("minSessionIdleTimeoutMinutes", Self.idleMinutes.lowerBound)
            json.add("maxSessionIdleTimeoutMinutes", Self.idleMinutes.upperBound)
            json.add("programmaticHeader", APIKeySecret.header)
            json.add("apiKeyPrefix", APIKeySecret.prefix)
            json.add("apiKeyCount", keyCount)
            json.add("oauthCallbackUrl", dependencies.consents.callbackURL)
            json.add("signInCallbackUrl", dependencies.consents.signInCallbackURL)
        }
    }
}

/// A workspace's settings about signing in; what it did not choose is the default.
struct AuthSettings: Hashable, Sendable {
    static let idleMember = "sessionIdleTimeoutMinutes"
    private static let idleMinutesDefault = 60

    /// After how long without a request a person's session in a browser ends.
    let sessionIdleMinutes: Int

    init(document: JSONValue?) {
        var minutes: Int?
        if let number = document?[Self.idleMember]?.wholeNumber { minutes = number }
        sessionIdleMinutes = minutes ?? Self.idleMinutesDefault
    }
}
