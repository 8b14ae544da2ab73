import Authentication
import Domain
import Foundation
import Testing

/// Signatures of real `ssh-keygen`s, and of security keys made by `Tests/Conformance/ssh_keys.py`.
@Suite struct SSHSignatureTests {
    private struct Vectors: Decodable {
        struct Vector: Decodable, Sendable, CustomTestStringConvertible {
            let name: String
            let publicKey: String
            let signature: String

            var testDescription: String { name }

            private enum CodingKeys: String, CodingKey {
                case name, signature
                case publicKey = "public_key"
            }
        }

        let namespace: String
        let statement: String
        let good: [Vector]
        let bad: [Vector]
    }

    private static let vectors: Vectors = {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Fixtures/ssh-signatures.json").standardized
        guard let data = try? Data(contentsOf: file), let vectors = try? JSONDecoder().decode(Vectors.self, from: data)
        else { preconditionFailure("\(file.path) has the vectors") }
        return vectors
    }()

    private static let namespace = DecisionSignature.namespace

    private static func vector(_ name: String) throws -> Vectors.Vector {
        try #require((vectors.good + vectors.bad).first { $0.name == name })
    }

    private func failure(_ name: String) throws -> SSHFailure? {
        let vector = try Self.vector(name)
        do throws(SSHFailure) {
            try SSHSignature(armored: vector.signature).verify(Self.vectors.statement, namespace: Self.namespace)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        "ed25519", "ed25519-sha256", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa-3072-sha512", "rsa-2048-sha256",
        "sk-ed25519", "sk-ecdsa-p256",
    ])
    func takesTheSignaturesOfEachKind(name: String) throws {
        let vector = try Self.vector(name)
        let signature = try SSHSignature(armored: vector.signature)
        try signature.verify(Self.vectors.statement, namespace: Self.namespace)
        #expect(signature.key == (try SSHPublicKey(line: vector.publicKey)))
        #expect(try SSHSignature(armored: signature.armored) == signature)
        #expect(throws: SSHFailure.doesNotFit) {
            try signature.verify(Self.vectors.statement + "\n", namespace: Self.namespace)
        }
        #expect(throws: SSHFailure.wrongNamespace("sluice-decision")) {
            try signature.verify(Self.vectors.statement, namespace: "file")
        }
    }

    @Test func everyVectorIsTried() { #expect(Self.vectors.good.count == 9 && Self.vectors.bad.count == 8) }

    @Test(arguments: [
        ("rsa-sha1", "ssh-rsa"), ("rsa-1024", "1024 bits"), ("sk-untouched", "touch"), ("sha1-hash", "sha1"),
        ("version-2", "version"),
    ])
    func refusesWhatIsWeakOrOdd(name: String, reason: String) throws {
        let failure = try #require(try failure(name))
        #expect(failure.description.contains(reason))
    }

    @Test func refusesWhatIsOfSomethingElse() throws {
        #expect(try failure("sk-other-application") == .doesNotFit)
        #expect(try failure("other-text") == .doesNotFit)
        #expect(try failure("other-namespace") == .wrongNamespace("file"))
    }

    /// Each byte of each signature, and each place where it could end.
    @Test(arguments: [
        "ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa-2048-sha256", "sk-ed25519", "sk-ecdsa-p256",
    ])
    func anyOtherByteIsRefused(name: String) throws {
        let bytes = try SSHSignature(armored: try Self.vector(name).signature).bytes
        func isTaken(_ bytes: [UInt8]) -> Bool {
            guard let signature = try? SSHSignature(bytes: bytes) else { return false }
            return (try? signature.verify(Self.vectors.statement, namespace: Self.namespace)) != nil
        }
        #expect(isTaken(bytes))
        for index in bytes.indices {
            for bit in [0, 7] {
                var changed = bytes
                changed[index] ^= 1 << UInt8(bit)
                #expect(!isTaken(changed), "byte \(index), bit \(bit)")
            }
            #expect(!isTaken(Array(bytes[..<index])), "cut at \(index)")
        }
        #expect(!isTaken(bytes + [0]))
    }

    @Test func aKeyOfOneIsNotTheSignatureOfAnother() throws {
        let (one, other) = (try Self.vector("ed25519"), try Self.vector("ecdsa-p256"))
        let bytes = try SSHSignature(armored: one.signature).bytes
        let (own, foreign) = (try SSHPublicKey(line: one.publicKey).blob, try SSHPublicKey(line: other.publicKey).blob)
        func written(_ blob: [UInt8]) -> [UInt8] {
            withUnsafeBytes(of: UInt32(blob.count).bigEndian, Array.init) + blob
        }
        let start = 10 + written(own).count
        let swapped = Array(bytes[..<10]) + written(foreign) + Array(bytes[start...])
        let signature = try SSHSignature(bytes: swapped)
        #expect(throws: SSHFailure.self) { try signature.verify(Self.vectors.statement, namespace: Self.namespace) }
    }

    @Test(arguments: [
        "", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIB", "ssh-dss AAAAB3NzaC1kc3M=",
        "ssh-ed25519 !!!!",
    ])
    func linesThatAreNoKeysAreRefused(line: String) {
        #expect(throws: SSHFailure.self) { try SSHPublicKey(line: line) }
    }

    @Test(arguments: [
        "", "-----BEGIN SSH SIGNATURE-----", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----",
    ])
    func textsThatAreNoSignaturesAreRefused(text: String) {
        #expect(throws: SSHFailure.self) { try SSHSignature(armored: text) }
    }

    @Test func aKeyIsItsOwnersAndNobodyElses() throws {
        let key = try SSHPublicKey(line: try Self.vector("ed25519").publicKey)
        let other = try SSHPublicKey(line: try Self.vector("ecdsa-p256").publicKey)
        let signers = AllowedSigners([
            .init(principal: "finance", key: key), .init(principal: "Ada@corp.test", key: other),
        ])
        let id = try #require(APIKeyID("01938f2a-7b5c-7001-9c4e-000000010001"))
        let finance = Actor(kind: .apiKey(id), name: "finance")
        let ada = Actor(kind: .person(Person(provider: "corp", subject: "1")), name: "ada@corp.test")
        #expect(signers.principal(of: finance, signingWith: key) == "finance")
        #expect(signers.principal(of: finance, signingWith: other) == nil)
        #expect(signers.principal(of: ada, signingWith: other) == "Ada@corp.test")
        #expect(signers.principal(of: ada, signingWith: key) == nil)
        let byID = AllowedSigners([.init(principal: id.description, key: key)])
        #expect(byID.principal(of: finance, signingWith: key) == id.description)
        let link = Actor(
            kind: .decisionLink(UsedLink(connectorName: "ops", deliveryID: DeliveryID(id.value))), name: "finance")
        #expect(signers.principal(of: link, signingWith: key) == nil)
    }
}
