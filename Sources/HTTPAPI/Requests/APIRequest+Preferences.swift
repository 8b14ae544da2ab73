import Domain
import Governance
import HTTPTypes

extension APIRequest {
    static let strictHandling = "handling=strict"
    private static let prefer = HTTPField.Name("Prefer")

    /// True when the client wants a request with unknown members refused (`Prefer: handling=strict`, RFC 7240,
    /// section 4.4).
    var wantsStrictHandling: Bool {
        let preferences = Self.prefer.flatMap { header($0) } ?? ""
        return preferences.split(separator: ",").contains { preference in
            let text = preference.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" && $0 != "\"" }
            return text == Self.strictHandling
        }
    }

    /// The warnings about a policy's content.
    ///
    /// - Throws: 400 with the first of them for a client that wants strict handling.
    func policyWarnings(_ spec: JSONValue) throws(APIError) -> [String] {
        let warnings = Policy.unknownMembers(spec: spec)
        if wantsStrictHandling, let first = warnings.first { throw .badRequest(first) }
        return warnings
    }
}
