import Domain

/// Takes credentials out of what a client sends, so that a document can be stored without them.
enum CredentialFields {
    /// The names under which credentials are kept.
    static let names = [
        "client_id", "client_secret", "api_key", "username", "password", "access_key_id", "secret_access_key",
        "session_token",
    ]

    /// Other names that clients use for these.
    private static let aliases = [
        "token": "api_key", "secret": "api_key", "apikey": "api_key", "access_key": "access_key_id",
    ]

    /// The member `credentials`: {client_id, client_secret, api_key, …}.
    static func given(_ body: JSONValue) throws(APIError) -> [NamedSecret] {
        guard case .object(let members)? = try body.object("credentials") else { return [] }
        var secrets: [NamedSecret] = []
        for member in members {
            guard let name = canonical(member.name) else {
                throw .badRequest(
                    "credentials.\(member.name.excerpt) is unknown; known are \(names.joined(separator: ", "))")
            }
            switch member.value {
            case .null: break
            case .string(let value): if !value.isEmpty { secrets.append(try NamedSecret(name, value)) }
            case .bool, .number, .array, .object:
                throw .badRequest("credentials.\(member.name.excerpt) must be a string")
            }
        }
        return secrets
    }

    /// The value without the credentials that stand in it, and those.
    ///
    /// - Throws: when something in it looks like a secret and has no name to be kept under.
    static func extract(
        from value: JSONValue, _ field: String, _ secrets: inout [NamedSecret]
    ) throws(APIError) -> JSONValue {
        switch value {
        case .null, .bool, .number, .string: return value
        case .array(let values):
            var kept: [JSONValue] = []
            for value in values { kept.append(try extract(from: value, field, &secrets)) }
            return .array(kept)
        case .object(let members):
            var kept: [JSONValue.Member] = []
            for member in members {
                let path = "\(field).\(member.name.excerpt)"
                if case .string(let text) = member.value, !text.isEmpty {
                    if let name = canonical(member.name) {
                        secrets.append(try NamedSecret(name, text))
                        continue
                    }
                    try refuse(member.name, path)
                }
                kept.append(.init(name: member.name, value: try extract(from: member.value, path, &secrets)))
            }
            return .object(kept)
        }
    }

    /// Refuses a value that holds something like a secret: it belongs somewhere else.
    static func refuse(in value: JSONValue?, _ field: String, hint: String) throws(APIError) {
        guard let value else { return }
        var secrets: [NamedSecret] = []
        _ = try extract(from: value, field, &secrets)
        guard let first = secrets.first else { return }
        throw .badRequest("\(field) holds the secret \(first.name): \(hint)")
    }

    private static func canonical(_ name: String) -> String? {
        let plain = SecretWords.snakeCase(name)
        return names.contains(plain) ? plain : aliases[plain]
    }

    private static func refuse(_ name: String, _ path: String) throws(APIError) {
        guard SecretWords.endsName(name) else { return }
        throw .badRequest("\(path.excerpt) looks like a secret: send it in \"credentials\", where it is sealed")
    }
}
