import Domain
import Foundation

/// The `env` of a deploy, taken apart: what may be stored as it came, and what has to be sealed.
struct EnvironmentVariables {
    /// As it is stored and shown: a sealed one has no value and says that it is a secret.
    private(set) var document: [JSONValue] = []
    private(set) var secrets: [NamedSecret] = []
    /// Variables that came without a value: what is sealed under their names stays.
    private(set) var kept: Set<String> = []

    init(_ body: JSONValue) throws(APIError) {
        for variable in try body.array("env") ?? [] {
            guard case .object(let members) = variable, let name = try variable.text("name") else {
                throw .badRequest("env must be an array of objects with a name and a value")
            }
            let value = try variable.text("value")
            let isMarked = variable["secret"] == .bool(true)
            guard isMarked || Self.isSecret(name, value) else {
                if value == nil { kept.insert(name) }
                document.append(variable)
                continue
            }
            if let value { secrets.append(try NamedSecret(name, value)) } else { kept.insert(name) }
            let others = members.filter { !["name", "value", "secret"].contains($0.name) }
            document.append(
                .object(
                    [
                        .init(name: "name", value: .string(name)), .init(name: "value", value: .string("")),
                        .init(name: "secret", value: .bool(true)),
                    ] + others))
        }
    }

    /// By its name, or by what it is: a known kind of key, or a URL with a password in it.
    private static func isSecret(_ name: String, _ value: String?) -> Bool {
        if SecretWords.areInName(name) { return true }
        guard let value else { return false }
        let prefixes = [
            "sk-", "sk_", "rk_", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "AKIA", "ASIA",
            "ra_ws_",
            "-----BEGIN",
        ]
        if prefixes.contains(where: { value.hasPrefix($0) }) { return true }
        return value.contains("://") && URLComponents(string: value)?.password?.isEmpty == false
    }
}
