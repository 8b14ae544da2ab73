package import Domain

/// What an identity provider's tokens have to say, and where they say who somebody is.
package struct TokenRules: Hashable, Sendable {
    package static let userIDBytesMax = 256

    let issuer: String
    /// One of them has to be the token's; none asks for none.
    private(set) var audiences: [String]
    /// A claim's name, or a path of names with dots between them.
    let userIDClaim: String
    /// Lower-case; none allows all.
    let allowedDomains: [String]
    let groupsClaim: String?
    /// How far clocks may be apart.
    let leeway: Duration
    /// The nonce of a sign-in that an ID token has to carry.
    private(set) var nonce: String?

    package init(
        issuer: String, audiences: [String], userIDClaim: String, allowedDomains: [String], groupsClaim: String?,
        leeway: Duration
    ) {
        self.issuer = issuer
        self.audiences = audiences
        self.userIDClaim = userIDClaim
        self.allowedDomains = allowedDomains.map { $0.lowercased() }
        self.groupsClaim = groupsClaim
        self.leeway = leeway
    }

    /// Verifies a token: its signature first, then what it says.
    ///
    /// - Throws: the first check that fails.
    package func identity(
        of token: JSONWebToken, keys: KeySet, at now: Timestamp
    ) throws(TokenFailure) -> ProvenIdentity {
        try keys.verify(token)
        let claims = token.claims
        guard let issuer = claims["iss"]?.string, issuer.isExactly(self.issuer) else { throw .wrongIssuer }
        try checkAudience(claims["aud"])
        let end = try checkTimes(claims, now)
        try checkSignIn(claims)
        let userID = try userID(claims)
        try checkDomain(userID, claims)
        guard userIDClaim != "email" || !Self.isUnverified(claims) else {
            throw .unusableClaim(userIDClaim, "verified: email_verified is there, and not true")
        }
        return ProvenIdentity(
            subject: Self.identifier("sub", claims) ?? userID, userID: userID,
            address: Self.identifier("email", claims), groups: try groups(claims), expiresAt: end)
    }

    /// The rules for the ID token of one sign-in: made for the client alone, and for this attempt.
    package func forSignIn(clientID: String, nonce: String) -> TokenRules {
        var rules = self
        (rules.audiences, rules.nonce) = ([clientID], nonce)
        return rules
    }

    private func checkSignIn(_ claims: JSONValue) throws(TokenFailure) {
        guard let nonce else { return }
        guard claims["nonce"]?.string?.isExactly(nonce) ?? false else { throw .wrongNonce }
        let isForSeveral = if case .array(let values)? = claims["aud"] { values.count > 1 } else { false }
        guard let party = claims["azp"] else {
            guard !isForSeveral else { throw .wrongParty }
            return
        }
        guard let party = party.string, audiences.contains(where: party.isExactly) else { throw .wrongParty }
    }

    private func checkAudience(_ claim: JSONValue?) throws(TokenFailure) {
        guard !audiences.isEmpty else { return }
        let given: [String]
        switch claim {
        case nil, .null: throw .missingAudience
        case .string(let text): given = [text]
        case .array(let values):
            given = values.compactMap(\.string)
            guard given.count == values.count else { throw .unusableClaim("aud", "a string or an array of strings") }
        case .bool, .number, .object: throw .unusableClaim("aud", "a string or an array of strings")
        }
        guard given.contains(where: { one in audiences.contains { $0.isExactly(one) } }) else { throw .wrongAudience }
    }

    /// - Returns: the time from which the token is no longer valid.
    private func checkTimes(_ claims: JSONValue, _ now: Timestamp) throws(TokenFailure) -> Timestamp {
        let (now, leeway) = (Double(now.microseconds) / 1_000_000, self.leeway / .seconds(1))
        guard let end = try Self.time("exp", claims) else { throw .missingClaim("exp") }
        guard now < end + leeway else { throw .expired }
        if let start = try Self.time("nbf", claims), start > now + leeway { throw .notYetValid }
        if let issued = try Self.time("iat", claims), issued > now + leeway { throw .issuedInTheFuture }
        return Timestamp(microseconds: Int64(min(end + leeway, Self.secondsMax) * 1_000_000))
    }

    /// The year 9999: a claim may name any number of seconds.
    private static let secondsMax = 253_402_300_799.0

    /// Seconds since 1970, with a fraction or without (RFC 7519, section 2).
    private static func time(_ name: String, _ claims: JSONValue) throws(TokenFailure) -> Double? {
        guard let value = claims[name] else { return nil }
        guard case .number(let text) = value, let seconds = Double(text), seconds.isFinite else {
            throw .unusableClaim(name, "a number of seconds")
        }
        return seconds
    }

    private func userID(_ claims: JSONValue) throws(TokenFailure) -> String {
        guard let claim = Self.claim(userIDClaim, claims) else { throw .missingClaim(userIDClaim) }
        guard let text = claim.string, Self.isIdentifier(text) else {
            throw .unusableClaim(
                userIDClaim, "a text of 1 to \(Self.userIDBytesMax) bytes without control characters")
        }
        return text
    }

    /// True when the token has `email_verified` and it is anything but `true`.
    ///
    /// OpenID Connect Core (5.1) makes it a Boolean; some providers send it as the text "true". A token without it says
    /// nothing of the address, which is then the provider's word like every other claim.
    private static func isUnverified(_ claims: JSONValue) -> Bool {
        switch claims["email_verified"] {
        case nil, .bool(true), .string("true"): false
        case .null, .bool, .string, .number, .array, .object: true
        }
    }

    /// The claim of that very name, else the one at the end of the path.
    private static func claim(_ path: String, _ claims: JSONValue) -> JSONValue? {
        if let claim = claims[path] { return claim }
        return path.split(separator: ".", omittingEmptySubsequences: false).reduce(claims) { value, name in
            value?[String(name)]
        }
    }

    private static func identifier(_ name: String, _ claims: JSONValue) -> String? {
        claims[name]?.string.flatMap { isIdentifier($0) ? $0 : nil }
    }

    private static func isIdentifier(_ text: String) -> Bool {
        (1...userIDBytesMax).contains(text.utf8.count)
            && !text.unicodeScalars.contains { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) }
    }

    /// The user id counts, and so does the e-mail address; an unverified address counts under either name for nothing.
    private func checkDomain(_ userID: String, _ claims: JSONValue) throws(TokenFailure) {
        guard !allowedDomains.isEmpty else { return }
        let email = claims["email"]?.string
        let addresses =
            Self.isUnverified(claims)
            ? [userID].filter { $0.lowercased() != email?.lowercased() } : [userID] + (email.map { [$0] } ?? [])
        let isAllowed = addresses.contains { address in
            let parts = address.lowercased().split(separator: "@", omittingEmptySubsequences: false)
            return parts.count == 2 && !parts[0].isEmpty && allowedDomains.contains { $0.isExactly(String(parts[1])) }
        }
        guard isAllowed else { throw .domainNotAllowed }
    }

    /// An array of texts, or one text with commas, and spaces or tabs, between them: a name may have blanks in it, and
    /// one with any other space at its end is another name. Names that no policy could
    /// ask for are left out.
    private func groups(_ claims: JSONValue) throws(TokenFailure) -> [String] {
        guard let groupsClaim, let claim = Self.claim(groupsClaim, claims) else { return [] }
        let names: [String]
        switch claim {
        case .null: return []
        case .string(let text): names = text.split(separator: ",").map(\.trimmingBlanks)
        case .array(let values): names = values.compactMap(\.string)
        case .bool, .number, .object: throw .unusableClaim(groupsClaim, "an array of strings or a string")
        }
        return Set(names.filter(GroupName.isValid)).sorted()
    }
}
