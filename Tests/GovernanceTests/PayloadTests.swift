import Domain
import Governance
import Testing

@Suite struct PayloadTests {
    /// The examples of FIPS 180-4 that NIST publishes.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ])
    func aPayloadHashIsSHA256(text: String, hex: String) {
        #expect(PayloadDigest.sha256(text.utf8).text == "sha256:" + hex)
    }

    @Test func aBodyInPartsHasTheSameHash() {
        var digest = PayloadDigest.Streaming()
        for part in ["a", "", "bc"] { digest.update(Array(part.utf8)) }
        #expect(digest.finalize() == PayloadDigest.sha256("abc".utf8))
    }

    @Test func aFingerprintIsOfEveryPart() throws {
        func make(
            _ turn: String, _ method: String, _ url: String, _ body: String, headers: String? = nil
        ) throws -> UUIDValue {
            CallFingerprint.make(
                turn: turn, method: method, url: try NormalizedURL(url),
                headers: headers.map { PayloadDigest.sha256($0.utf8) }, body: PayloadDigest.sha256(body.utf8))
        }
        let one = try make("1", "POST", "https://x.com/a", "b")
        #expect(try make("1", "post", "HTTPS://X.com:443/%61", "b") == one)
        let others = [
            try make("2", "POST", "https://x.com/a", "b"), try make("1", "PUT", "https://x.com/a", "b"),
            try make("1", "POST", "https://x.com/a?", "b"), try make("1", "POST", "https://x.com/a", ""),
            try make("1P", "OST", "https://x.com/a", "b"), try make("", "1POST", "https://x.com/a", "b"),
            try make("1", "POST", "https://x.com/a", "b", headers: ""),
            try make("1", "POST", "https://x.com/a", "b", headers: "c"),
        ]
        #expect(Set(others + [one]).count == others.count + 1)
        // Recorded in logs, so it must not change; taken from another implementation.
        #expect(one.text == "b71d0687-3c7f-9d01-b16f-06cb05c47ce2")
        let bound = try make("1", "POST", "https://x.com/a", "b", headers: "")
        #expect(bound.text == "a83eea19-5a2b-bb7d-0465-119a9f4e603a")
    }

    @Test func modelCallsAreToldApartByOperationProviderAndBody() {
        func make(_ operation: String, _ provider: String?, _ body: String) -> UUIDValue {
            ModelCallIdentity.make(operation: operation, provider: provider, body: Array(body.utf8))
        }
        let one = make("chat/completions", nil, "{}")
        #expect(make("chat/completions", nil, "{}") == one)
        let others = [
            make("messages", nil, "{}"), make("chat/completions", "p", "{}"), make("chat/completions", nil, "{ }"),
            make("chat/completions", "{}", ""), make("chat/completion", "s", "{}"),
        ]
        #expect(Set(others + [one]).count == others.count + 1)
        // Recorded in logs, so it must not change; taken from another implementation.
        #expect(one.text == "a3a8e32e-d06e-5d06-1cff-39d2a577499c")
    }
}
