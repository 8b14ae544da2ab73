import Domain

/// A secret that a request brought, under the name that its owner calls it by.
struct NamedSecret: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// What one secret may have; certificates and private keys fit.
    static let bytesMax = 65_536

    let name: String
    let value: String

    init(_ name: String, _ value: String) throws(APIError) {
        guard value.utf8.count <= Self.bytesMax else {
            throw .badRequest("the secret \(name.excerpt) is longer than \(Self.bytesMax) bytes")
        }
        self.name = name
        self.value = value
    }

    // Whatever prints one shows its name alone.
    var description: String { "secret \(name)" }
    var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}

/// Words of names that say: what stands here is a secret.
enum SecretWords {
    private static let words: Set = [
        "key", "apikey", "token", "secret", "password", "passwd", "passphrase", "credential", "credentials", "pwd",
    ]

    /// `clientID`, `client-id` and `CLIENT_ID` are all `client_id`.
    static func snakeCase(_ name: String) -> String {
        var words: [String] = []
        var current = ""
        let letters = Array(name)
        for (index, letter) in letters.enumerated() {
            guard letter.isLetter || letter.isNumber else {
                if !current.isEmpty { words.append(current) }
                current = ""
                continue
            }
            let isAfterSmall = index > 0 && (letters[index - 1].isLowercase || letters[index - 1].isNumber)
            let isBeforeSmall = index > 0 && index + 1 < letters.count && letters[index + 1].isLowercase
            if letter.isUppercase, isAfterSmall || isBeforeSmall, !current.isEmpty {
                words.append(current)
                current = ""
            }
            current += letter.lowercased()
        }
        if !current.isEmpty { words.append(current) }
        return words.joined(separator: "_")
    }

    /// Whether the last word of the name is one of a secret: `clientSecret` is one, `tokenUrl` is none.
    static func endsName(_ name: String) -> Bool {
        snakeCase(name).split(separator: "_").last.map { words.contains(String($0)) } ?? false
    }

    /// Whether any word of the name is one of a secret, or ends like one.
    static func areInName(_ name: String) -> Bool {
        snakeCase(name).split(separator: "_").contains { word in
            words.contains(String(word)) || ["key", "token", "secret", "password"].contains { word.hasSuffix($0) }
        }
    }
}
