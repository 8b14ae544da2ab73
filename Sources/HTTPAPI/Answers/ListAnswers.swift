import Domain
import EventStreaming
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Projections

extension APIHandlers {
    /// A whole list as one JSON array, read and sent a chunk at a time; the next chunk is made once the client has taken
    /// the last one.
    ///
    /// The first page is read before the answer begins, so that its errors have their status. A list that ends with it
    /// has a Content-Length; a longer one takes a place of the principal's share until it is sent, and reads on in turns
    /// with the other long reads.
    func wholeList<Record, Place>(_ list: WholeList<Record, Place>, _ request: APIRequest) async throws -> Response {
        var (list, headers) = (list, HTTPFields())
        headers[.contentType] = "application/json"
        let first = try await list.first()
        guard !list.isComplete else {
            return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: first))
        }
        let (place, channel, throttle) = (try takeListPlace(request), request.channel, dependencies.streamer.throttle)
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { [list] writer in
                defer { withExtendedLifetime(place) {} }
                let stream = StreamWriter(writer, channel)
                try await stream.write(first)
                var list = list
                while !list.isComplete { try await stream.write(try await throttle.run { try await list.next() }) }
                try await writer.finish(nil)
            })
    }

    /// One page of a list for a client that asked for so many, and where the next one is (RFC 8288).
    func listPage<Record>(
        _ page: Page<Record>, _ request: APIRequest, cursor: (Record) -> some CustomStringConvertible,
        _ json: (Record) -> JSONText
    ) throws(APIError) -> Response {
        var answer = APIAnswer(.ok, JSONText(array: page.records.map(json)))
        if page.hasMore, let last = page.last {
            answer.headers[.link] = "<\(request.query(from: cursor(last).description))>; rel=\"next\""
        }
        return try response(answer, to: request)
    }
}

extension APIRequest {
    private static let listLimitMax: UInt64 = 1000

    /// How many records of a list the client asks for; `nil` when it wants all.
    func listLimit() throws(APIError) -> Int? { try query("limit", in: 1...Self.listLimitMax).map(Int.init) }

    /// The request's query with another beginning of the page: filters and order stay, and a moment of the past becomes
    /// its position.
    func query(from cursor: String) -> String {
        let kept = (head.path?.split(separator: "?", maxSplits: 1).dropFirst().first ?? "").split(separator: "&")
            .filter { part in
                let name = part.prefix { $0 != "=" }
                return ![AsOf.parameter, "cursor"].contains(Substring(name.removingPercentEncoding ?? ""))
                    && !part.contains { "<>\"".contains($0) }
            }
            .map(String.init)
        let moment = PointInTime.current.map { "\(AsOf.parameter)=\($0.position)" }
        return "?" + ([moment].compactMap(\.self) + kept + ["cursor=\(cursor)"]).joined(separator: "&")
    }

    /// In which order the client wants a list.
    func order<Field: ListField>(
        _ field: Field, isDescending: Bool
    ) throws(APIError) -> ListOrder<Field> {
        let chosen = try sortField(Field.self)
        return chosen.map { ListOrder($0.field, isDescending: $0.isDescending) }
            ?? ListOrder(field, isDescending: isDescending)
    }

    func resourceOrder() throws(APIError) -> ResourceOrder? {
        try sortField(ResourceField.self).map { ResourceOrder($0.field, isDescending: $0.isDescending) }
    }

    private func sortField<Field: RawRepresentable & CaseIterable>(
        _: Field.Type
    ) throws(APIError) -> (field: Field, isDescending: Bool)? where Field.RawValue == String {
        guard let text = query("sort") else { return nil }
        let isDescending = text.hasPrefix("-")
        guard let field = Field(rawValue: String(text.dropFirst(isDescending ? 1 : 0))) else {
            let known = Field.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badRequest("sort must be one of \(known), or one of them with - before it for the other way round")
        }
        return (field, isDescending)
    }
}

extension APIHandlers {
    /// Where a page of a list begins: after the row of the cursor, in the list's order.
    func listStart<Field>(_ request: APIRequest, by order: ListOrder<Field>) async throws -> ListPlace? {
        if order.field.isTime, let text = request.query("cursor") {
            guard let place = ListPlace(cursor: text) else {
                throw APIError.badRequest("cursor must be that of the Link of the page before, in the same order")
            }
            return place
        }
        let cursor = try request.query("cursor", in: 1...UInt64.max >> 1).map(Position.init)
        guard let cursor else { return nil }
        guard let place = try await projections.place(of: cursor, by: order, in: request.workspace) else {
            throw APIError.notFound("cursor names a row that is not there any more; begin again without it")
        }
        return place
    }
}
