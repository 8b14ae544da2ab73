import Audit
import Domain
import EventStreaming
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Projections

/// What anybody can check: heads of the log's tree, proofs, tiles, receipts and exports.
extension APIHandlers {
    static let addCheckpointPath = "/audit/witness/add-checkpoint"
    private static let addCheckpointBytesMax = 65_536

    func checkpoint(_ request: APIRequest) async throws -> Response {
        let (_, note) = try await dependencies.audit.keeper.checkpoint()
        return Self.text(.ok, note.note)
    }

    func checkpointKey(_ request: APIRequest) async throws -> Response {
        Self.text(.ok, dependencies.audit.keeper.verifier.text + "\n")
    }

    /// That the event at a position is under the head of that size, or under a new one, which comes with it.
    func inclusionProof(_ request: APIRequest) async throws -> APIAnswer {
        let tree = dependencies.audit.tree
        guard let position = try request.query("position", in: 1...UInt64.max >> 1) else {
            throw APIError.badRequest("position is missing: which event is to be proven?")
        }
        let (size, note) = try await head(request, "size")
        guard position <= size else {
            throw APIError.notFound("position must be at most \(size), where that tree ends")
        }
        let proof = try await tree.inclusionProof(of: position - 1, in: size)
        let root = try await tree.root(of: size)
        return APIAnswer(
            .ok,
            .object { json in
                json.add("position", position)
                json.add("leaf_index", position - 1)
                json.add("tree_size", size)
                json.add("root_hash", base64: root)
                json.add("inclusion", base64: proof)
                json.add("checkpoint", note)
            })
    }

    /// That the tree of one size begins with that of a smaller one.
    func consistencyProof(_ request: APIRequest) async throws -> APIAnswer {
        let tree = dependencies.audit.tree
        guard let from = try request.query("from", in: 0...UInt64.max >> 1) else {
            throw APIError.badRequest("from is missing: the size of the older checkpoint")
        }
        let (to, note) = try await head(request, "to")
        guard from <= to else { throw APIError.notFound("from must be at most \(to), where the log ends") }
        let proof = try await tree.consistencyProof(from: from, to: to)
        let root = try await tree.root(of: to)
        return APIAnswer(
            .ok,
            .object { json in
                json.add("from", from)
                json.add("to", to)
                json.add("root_hash", base64: root)
                json.add("consistency", base64: proof)
                json.add("checkpoint", note)
            })
    }

    /// A tile of hashes, as C2SP tlog-tiles lays them out; the events themselves are in exports.
    func tile(_ request: APIRequest) async throws -> Response {
        guard let start = request.head.path?.range(of: "/audit/tile/"),
            let text = request.head.path?[start.upperBound...].split(separator: "?").first,
            let path = String(text).percentDecoded.flatMap({ TilePath($0) })
        else { throw APIError.badRequest("the path is not that of a tile, such as 0/x001/067 or 0/068.p/8") }
        let tree = dependencies.audit.tree
        try await tree.grow()
        guard let bytes = try await tree.tile(path) else { throw APIError.notFound("the log has no such tile yet") }
        return Response(
            status: .ok,
            headers: [.contentType: "application/octet-stream", .cacheControl: "private, max-age=31536000, immutable"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// All events of a run, each with its proof, as they are read.
    func exportRun(_ request: APIRequest) async throws -> Response {
        let format = try Self.exportFormat(request)
        let after = try request.query("after", in: 0...UInt64.max >> 1).map(Position.init)
        let run = try await run(try request.runID(), request)
        let place = try takeListPlace(request)
        let (exporter, channel, throttle) = (
            dependencies.audit.exporter, request.channel, dependencies.streamer.throttle
        )
        // What can be refused is refused before the answer begins.
        _ = try await dependencies.audit.keeper.checkpoint()
        let name = "attachment; filename=\"\(run.id).\(format == .json ? "json" : "ndjson")\""
        return Response(
            status: .ok,
            headers: [.contentType: format.contentType, .cacheControl: "no-store", .contentDisposition: name],
            body: ResponseBody { writer in
                defer { withExtendedLifetime(place) {} }
                let stream = StreamWriter(writer, channel)
                // An error here breaks the connection off, so that nobody takes the part for the whole.
                try await exporter.export(
                    run: run.id, from: run.position, after: after, as: format, throttle: throttle
                ) { text in try await stream.write(text) }
                try await writer.finish(nil)
            })
    }

    /// The format that `format` names, or `schema`, which names the form of the events alone: they are lines then.
    private static func exportFormat(_ request: APIRequest) throws(APIError) -> ExportFormat {
        let format = try request.query("format").map { text throws(APIError) in
            guard let format = ExportFormat(rawValue: text) else {
                throw .badRequest("format must be one of \(known(ExportFormat.allCases.map(\.rawValue)))")
            }
            return format
        }
        guard let schema = request.query("schema") else { return format ?? .json }
        guard let shaped = ExportFormat(schema: schema) else {
            throw .badRequest("schema must be one of \(known(ExportFormat.allCases.compactMap(\.schema)))")
        }
        guard format.map({ $0.schema == nil || $0 == shaped }) ?? true else {
            throw .badRequest("format and schema name different forms of events: leave one of them out")
        }
        return shaped
    }

    private static func known(_ names: [String]) -> String { names.joined(separator: ", ") }

    func actionReceipt(_ request: APIRequest) async throws -> APIAnswer {
        let run = try await run(try request.runID(), request)
        let blocked = try await action(try request.actionID(), of: run.id)
        return try await receipt(.action(blocked.id, run: run.id), from: run.position)
    }

    func accessReceipt(_ request: APIRequest) async throws -> APIAnswer {
        let access = try await accessRequest(try accessRequestID(request), request)
        if let own = access.ownAction {
            return try await receipt(.action(own.action, run: own.run), from: access.position)
        }
        return try await receipt(.accessRequest(access.id), from: access.position)
    }

    /// Countersigns another log's checkpoint (C2SP tlog-witness, `add-checkpoint`).
    func witness(_ request: Request, _ context: APIContext) async throws -> Response {
        let body = try await text(of: request, context, upTo: Self.addCheckpointBytesMax)
        do throws(Witness.Refusal) {
            return Self.text(
                .ok, try await dependencies.audit.witness.addCheckpoint(String(decoding: body, as: UTF8.self)))
        } catch {
            switch error {
            case .malformed(let reason): throw APIError.badRequest(reason)
            case .unknownLog: throw APIError.notFound("no log of that name is witnessed here: see witness-logs")
            case .unsigned:
                throw APIError(.forbidden, .forbidden, "the checkpoint is not signed by the key that is known here")
            case .conflict(let size):
                var response = Self.text(.conflict, "\(size)\n")
                response.headers[.contentType] = "text/x.tlog.size"
                return response
            case .inconsistent:
                throw APIError(
                    .unprocessableContent, .inconsistentLog,
                    "the proof does not lead from the tree that was seen here to this one: the log's history was changed"
                )
            case .unwritable(let reason): throw APIError(AuditError.tilesUnwritable(reason))
            }
        }
    }

    private func receipt(_ subject: Receipt.Subject, from first: Position) async throws -> APIAnswer {
        guard let receipt = try await dependencies.audit.exporter.receipt(of: subject, from: first) else {
            throw APIError.conflict("there is no decision yet: a receipt exists once it is approved or rejected")
        }
        return APIAnswer(.ok, receipt)
    }

    /// The size that was asked for, or that of a new checkpoint.
    private func head(_ request: APIRequest, _ name: String) async throws -> (size: UInt64, note: String?) {
        if let size = try request.query(name, in: 1...UInt64.max >> 1) {
            let count = try await dependencies.audit.tree.grow()
            guard size <= count else {
                throw APIError.notFound("\(name) must be at most \(count), where the log ends")
            }
            return (size, nil)
        }
        let (checkpoint, note) = try await dependencies.audit.keeper.checkpoint()
        return (checkpoint.size, note.note)
    }

    private static func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
