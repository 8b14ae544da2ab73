import Domain
import Foundation
import Gateways
import Testing

/// Signatures are those of botocore (Tests/Conformance/vectors, made by test_sigv4_vectors.py).
@Suite struct SigV4Tests {
    struct Vector: CustomTestStringConvertible, Sendable {
        let document: JSONValue

        func text(_ name: String) -> String { document[name]?.string ?? "" }

        func headers(_ name: String) -> [(name: String, value: String)] {
            guard case .object(let members)? = document[name] else { return [] }
            return members.map { ($0.name, $0.value.string ?? "") }
        }

        var testDescription: String { text("name") }
    }

    static let vectors: [Vector] = {
        let path = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Conformance/vectors/sigv4.json").standardized
        guard let data = try? Data(contentsOf: path), case .array(let values)? = try? JSONValue(parsing: [UInt8](data))
        else { return [] }
        return values.map { Vector(document: $0) }
    }()

    @Test func thereAreVectors() { #expect(Self.vectors.count > 10) }

    @Test(arguments: vectors)
    func aCallIsSignedAsBotocoreSignsIt(vector: Vector) async throws {
        let signed = try await injector(vector).apply(to: call(vector))
        for (name, value) in vector.headers("signed") { #expect(signed.header(name) == value, "\(name)") }
        #expect(signed.headers.count == vector.headers("headers").count + vector.headers("signed").count)
        #expect(signed.url == vector.text("url") && signed.body == Array(vector.text("body").utf8))
    }

    @Test func whatAnAgentSignedItselfIsGone() async throws {
        let vector = try #require(Self.vectors.first)
        var forged = call(vector)
        forged.headers += [
            ("authorization", "AWS4-HMAC-SHA256 forged"), ("x-amz-date", "x"), ("X-AMZ-SECURITY-TOKEN", "stolen"),
            ("Date", "yesterday"),
        ]
        let signed = try await injector(vector).apply(to: forged)
        #expect(signed.headers.map(\.name).sorted() == ["Authorization", "X-Amz-Date"])
        #expect(signed.header("Authorization") == vector.headers("signed").first?.value)
    }

    /// Another machine checks the time of a signature, so it is the wall clock's also after a step of that.
    @Test func aSignatureHasTheTimeOfTheWallClock() async throws {
        let vector = try #require(Self.vectors.first)
        let clock = ManualClock(try #require(Timestamp(rfc3339: vector.text("time"))).adding(.seconds(-86_400)))
        clock.step(.seconds(86_400))
        let signed = try await injector(vector, clock: clock).apply(to: call(vector))
        #expect(signed.header("Authorization") == vector.headers("signed").first?.value)
    }

    private func call(_ vector: Vector) -> OutgoingCall {
        OutgoingCall(
            method: vector.text("method"), url: vector.text("url"), headers: vector.headers("headers"),
            body: Array(vector.text("body").utf8))
    }

    private func injector(_ vector: Vector, clock: ManualClock? = nil) throws -> any CredentialInjector {
        let time = try #require(Timestamp(rfc3339: vector.text("time")))
        var secrets = ["access_key_id": vector.text("key"), "secret_access_key": vector.text("secret")]
        secrets["session_token"] = vector.document["token"]?.string
        return try Fixture.injector(
            .awsSignature(region: vector.text("region"), service: vector.text("service")), secrets,
            clock: clock ?? ManualClock(time))
    }
}
