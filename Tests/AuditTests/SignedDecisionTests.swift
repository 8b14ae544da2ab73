import Audit
import Domain
import EventLog
import EventStore
import Foundation
import Logging
import TestSupport
import Testing

/// An operator who records what they like, and proves that it is in their log: the approver's signature does not fit.
@Suite struct SignedDecisionTests {
    private static let run = RunID("01938f2a-7b5c-7001-9c4e-000000010001")
    private static let action = ActionID("01938f2a-7b5c-7002-9c4e-000000020002")
    private static let hash = "sha256:" + String(repeating: "ab", count: 32)

    /// A real signature, of a security key, over an approval of exactly this call.
    private func signature(principal: String = "ada", grant: SignedGrant? = nil) throws -> DecisionSignature {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Fixtures/ssh-signatures.json").standardized
        let vectors = try JSONValue(parsing: Array(try Data(contentsOf: file)))
        guard case .array(let good)? = vectors["good"] else { throw CocoaError(.fileReadCorruptFile) }
        let armored = try #require(good.first { $0["name"]?.string == "sk-ed25519" }?["signature"]?.string)
        let lines = armored.split(separator: "\n").dropFirst().dropLast()
        let bytes = try #require(Data(base64Encoded: lines.joined()))
        return DecisionSignature(principal: principal, bytes: Array(bytes), grant: grant)
    }

    private func blocked(
        url: String = "https://bank.test/pay", method: String = "POST", hash: String = hash
    ) throws -> EventPayload {
        .actionBlocked(
            ActionBlocked(
                actionID: try #require(Self.action), toolID: "bank", capability: nil, payloadHash: PayloadHash(hash),
                method: method, url: url, accessRequestID: nil, expiresAt: Timestamp(microseconds: 1)))
    }

    private func approved(_ signature: DecisionSignature, hash: String = hash) throws -> EventPayload {
        .actionApproved(
            ActionApproved(
                actionID: try #require(Self.action), payloadHash: PayloadHash(hash), reason: nil, signature: signature))
    }

    /// The receipt of a log that the operator signed, and what the verifier makes of it.
    private func receipt(_ payloads: [EventPayload], workspace: String = "default") async throws -> JSONValue {
        let run = try #require(Self.run)
        let workspace = try #require(WorkspaceName(workspace))
        let records = payloads.enumerated().map { index, payload in
            EventCodec.encode(
                Event(
                    id: EventID(UUIDValue(high: 1, low: UInt64(index))), time: Timestamp(microseconds: Int64(index)),
                    workspace: workspace, stream: .run(run), streamSequence: UInt64(index + 1),
                    actor: Actor(kind: .system, name: "ada"), causation: Causation(index: 0, idempotency: nil),
                    traceparent: nil, timeline: nil, payload: payload))
        }
        var document: JSONValue?
        try await withDirectory { directory in
            let (tree, log) = try await TreeTests.grown(records, in: directory + "/tile")
            let keeper = try CheckpointKeeper(
                tree: tree, files: AuditFiles(directory), witnesses: [], now: { Timestamp(microseconds: 0) },
                logger: Logger(label: "test"))
            let exporter = AuditExporter(log: log, tree: tree, keeper: keeper)
            let action = try #require(Self.action)
            let receipt = try #require(try await exporter.receipt(of: .action(action, run: run), from: Position(1)))
            var verifier = AuditVerifier(key: keeper.verifier)
            var lines = [receipt.text]
            let report = try verifier.verify { lines.popLast() }
            #expect(report.signatures == 1 && report.uncheckedSignatures == 0)
            document = receipt.value
        }
        return try #require(document)
    }

    private func failure(_ payloads: [EventPayload], workspace: String = "default") async throws -> String {
        do {
            _ = try await receipt(payloads, workspace: workspace)
            Issue.record("it was taken")
            return ""
        } catch let failure as AuditVerifier.Failure {
            return failure.reason
        }
    }

    @Test func aSignedApprovalIsProvenAndShowsWhatWasSigned() async throws {
        let receipt = try await receipt([try blocked(), try approved(try signature())])
        let shown = try #require(receipt["decision"]?["signature"])
        #expect(shown["principal"]?.string == "ada")
        #expect(shown["key_fingerprint"]?.string?.hasPrefix("SHA256:") == true)
        #expect(shown["statement"]?.string?.hasSuffix("decision: approve\n") == true)
    }

    @Test func anApprovalOfAnythingElseIsNotWhatWasSigned() async throws {
        let other = "sha256:" + String(repeating: "cd", count: 32)
        let (signed, wide) = (
            try signature(), try signature(grant: SignedGrant(scope: .run, duration: .seconds(60)))
        )
        let forgeries = [
            [try blocked(url: "https://bank.test/pay2"), try approved(signed)],
            [try blocked(method: "PUT"), try approved(signed)],
            [try blocked(hash: other), try approved(signed, hash: other)], [try blocked(), try approved(wide)],
            [
                try blocked(),
                .actionRejected(
                    ActionRejected(actionID: try #require(Self.action), reason: nil, signature: signed)),
            ],
        ]
        for forgery in forgeries { #expect(try await failure(forgery).contains("not that of the decision")) }
        #expect(
            try await failure([blocked(), approved(signed)], workspace: "other").contains("not that of the decision"))
        #expect(
            try await failure([blocked(), approved(signed, hash: other)]).contains("something else than was signed"))
    }

    @Test func anyOtherBitOfTheSignatureIsNoticed() async throws {
        let bytes = try signature().bytes
        for index in stride(from: 0, to: bytes.count, by: 7) {
            var changed = bytes
            changed[index] ^= 1
            let forged = DecisionSignature(principal: "ada", bytes: changed, grant: nil)
            #expect(try await failure([blocked(), approved(forged)]).contains("not that of the decision"))
        }
    }
}
