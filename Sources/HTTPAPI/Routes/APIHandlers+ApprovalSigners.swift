import Authentication
import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Projections

/// Whose SSH keys sign decisions in a workspace. Each change is an event; what was signed before keeps its key.
extension APIHandlers {
    private static let signerSettings = "approval-signers"
    private static let principalBytesMax = 256

    func getApprovalSigners(_ request: APIRequest) async throws -> APIAnswer {
        APIAnswer(.ok, Self.json(try await allowedSigners(request)))
    }

    /// Takes the place of the whole list, so that what is left out can sign no more.
    func changeApprovalSigners(_ request: APIRequest) async throws -> APIAnswer {
        guard let given = try request.body.array("signers") else { throw APIError.badRequest("signers is required") }
        guard given.count <= AllowedSigners.entriesMax else {
            throw APIError.badRequest("signers must have at most \(AllowedSigners.entriesMax) entries")
        }
        let entries = try given.enumerated().map { try Self.entry($1, "signers[\($0)]") }
        guard Set(entries).count == entries.count else { throw APIError.badRequest("signers names the same key twice") }
        let document = JSONText.object { json in
            json.add(
                "signers",
                entries.map { entry in
                    JSONText.object {
                        $0.add("principal", entry.principal)
                        $0.add("public_key", entry.key.line)
                    }
                })
        }
        let item = ResourcesToStore.Item(kind: .settings, name: Self.signerSettings, document: document)
        let receipt = try await execute(ResourcesToStore([item]), request)
        return APIAnswer(.ok, Self.json(try await allowedSigners(request)), position: receipt.position)
    }

    func allowedSigners(_ request: APIRequest) async throws -> AllowedSigners {
        let record = try await projections.resource(.settings, named: Self.signerSettings, in: request.workspace)
        return AllowedSigners(document: record?.document.value)
    }

    private static func entry(_ value: JSONValue, _ place: String) throws(APIError) -> AllowedSigners.Entry {
        guard case .object = value else { throw .badRequest("\(place) must be an object") }
        let principal = try value.requiredText("principal")
        guard principal.utf8.count <= principalBytesMax, !principal.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f })
        else {
            throw .badRequest(
                "\(place).principal must be an API key's name or id, or a person's user id, of at most "
                    + "\(principalBytesMax) bytes")
        }
        do throws(SSHFailure) {
            return AllowedSigners.Entry(
                principal: principal, key: try SSHPublicKey(line: try Self.publicKey(value, place)))
        } catch {
            throw .badRequest("\(place).public_key is refused: \(error)")
        }
    }

    private static func publicKey(_ value: JSONValue, _ place: String) throws(SSHFailure) -> String {
        guard let line = value["public_key"]?.string else {
            throw .malformed("it is required: the line of an id_*.pub file")
        }
        return line
    }

    private static func json(_ signers: AllowedSigners) -> JSONText {
        .object { json in
            json.add(
                "signers",
                signers.entries.map { entry in
                    JSONText.object {
                        $0.add("principal", entry.principal)
                        $0.add("public_key", entry.key.line)
                        $0.add("fingerprint", entry.key.fingerprint)
                    }
                })
            json.add("namespace", DecisionSignature.namespace)
        }
    }
}
