import Audit
import CommandHandling
import Domain
import EventStreaming
import Hummingbird
import Projections
import Secrets

/// Erasing a person: their key is destroyed, and with it everything that the log says of them.
extension APIHandlers {
    private static let pageMax = 100

    /// Begins an erasure; it is done a moment later, when everything that was made from their data is made anew.
    func requestErasure(_ request: APIRequest) async throws -> APIAnswer {
        let userID = try request.body.requiredText("user_id")
        let person = PersonName(workspace: request.workspace, userID: userID)
        guard let id = try vault.personID(of: person) else {
            guard !vault.mayShareKey else {
                throw APIError.conflict(
                    "the keyring of an earlier version was full, so that this user's data may be sealed with a key that "
                        + "others have too: it cannot be erased alone")
            }
            throw APIError.notFound(
                "nothing is kept of this user: they are not known here, or were erased. A user id is upper and lower case "
                    + "as runs and tokens have it")
        }
        let receipt = try await execute(.erasePerson(id, PersonErasureRequested(userID: userID)), request)
        return APIAnswer(.accepted, try await erasure(id, request).json, position: receipt.position)
    }

    /// Newest first.
    func listErasures(_ request: APIRequest) async throws -> Response {
        let before = try request.query("cursor", in: 1...UInt64.max >> 1).map(Position.init)
        let page = try await projections.erasures(
            before: before, limit: try request.listLimit() ?? Self.pageMax, in: request.workspace)
        return try listPage(page, request, cursor: \.position, \.json)
    }

    func getErasure(_ request: APIRequest) async throws -> APIAnswer {
        APIAnswer(.ok, try await erasure(try Self.id(request), request).json)
    }

    /// The events that say so, with the proofs that they are in the log.
    func erasureCertificate(_ request: APIRequest) async throws -> APIAnswer {
        let erasure = try await erasure(try Self.id(request), request)
        let receipt = try await dependencies.audit.exporter.receipt(of: .erasure(erasure.id), from: erasure.position)
        guard let receipt else {
            throw APIError.conflict("the erasure is going on: there is a certificate once it is done")
        }
        return APIAnswer(.ok, receipt)
    }

    private static func id(_ request: APIRequest) throws(APIError) -> PersonID {
        try request.identifier("id") { "erasure \($0) not found" }
    }

    private func erasure(_ id: PersonID, _ request: APIRequest) async throws -> ErasureRecord {
        guard let record = try await projections.erasure(id, in: request.workspace) else {
            throw APIError.notFound("erasure \(id) not found")
        }
        return record
    }
}

extension ErasureRecord {
    fileprivate var json: JSONText {
        .object { json in
            json.add("id", id.description)
            json.add("status", erasedAt == nil ? "ERASING" : "ERASED")
            json.add("requested_by", requestedBy)
            json.add("requested_at", requestedAt)
            json.add("erased_at", erasedAt)
            json.add("events", events)
        }
    }
}
