/// No credentials: the call goes as it came.
struct NoCredential: CredentialInjector {
    func apply(to call: OutgoingCall) async throws(CredentialError) -> OutgoingCall { call }
}

/// An API key in a header or in the query.
struct APIKeyInjector: CredentialInjector {
    enum Place: Hashable, Sendable {
        case header(String)
        case query(String)
    }

    let place: Place
    /// What stands before the key, such as `Bearer `.
    let valuePrefix: String
    let key: String

    var secrets: [String] { [key] }

    func apply(to call: OutgoingCall) async throws(CredentialError) -> OutgoingCall {
        var call = call
        switch place {
        case .header(let name): try call.setHeader(name, separatedPrefix(name) + key)
        case .query(let name): call.setQueryParameter(name, valuePrefix + key)
        }
        return call
    }

    /// `Authorization` is a scheme, a space, then the rest (RFC 9110, section 11.4): configurations leave the space out.
    private func separatedPrefix(_ name: String) -> String {
        guard name.lowercased() == "authorization", let last = valuePrefix.last, last.isLetter else {
            return valuePrefix
        }
        return valuePrefix + " "
    }
}
