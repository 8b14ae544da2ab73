import Domain

/// The header of an API key in formats that do not use `Authorization`.
enum APIKeyHeader {
    /// `spec.auth` with that header, unless it names another or is no API key.
    static func named(_ name: String, in auth: JSONValue?) -> JSONValue? {
        let key = auth?["apiKeyConfig"] ?? auth
        guard auth?["type"]?.string == "APIKey", key?["name"]?.present == nil else { return auth }
        return .members(["type": .string("APIKey"), "in": .string("header"), "name": .string(name)])
    }
}
