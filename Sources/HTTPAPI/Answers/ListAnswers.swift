import Domain
import EventStreaming
import HTTPTypes
import Hummingbird
import NIOCore
import Projections

extension APIHandlers {
    /// The most rows that a list reads at once; a page is bounded in bytes too.
    private static let pageRowsMax = 1000

    /// A whole list as one JSON array, read and sent a page at a time: a client that takes it slowly, or a list of
    /// millions, costs a page of memory.
    ///
    /// The first page is read before the answer begins, so that its errors have their status. A list that is no longer
    /// than that has a Content-Length.
    ///
    /// - Parameters:
    ///   - limit: how many records to give at most; `nil` for all.
    ///   - page: gives at most so many records after the one it is given, from the beginning without one.
    func wholeList<Record>(
        limit: Int? = nil, _ json: @escaping @Sendable (Record) -> JSONText,
        _ page: @escaping @Sendable (_ after: Record?, _ limit: Int) async throws -> Page<Record>
    ) async throws -> Response {
        let limit = limit ?? .max
        let first = try await page(nil, min(limit, Self.pageRowsMax))
        guard first.hasMore, first.records.count < limit else {
            return APIAnswer(.ok, JSONText(array: first.records.map(json))).response
        }
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody { writer in
                var (current, count) = (first, 0)
                while let last = current.last {
                    for record in current.records {
                        try await writer.write(ByteBuffer(string: (count == 0 ? "[" : ",") + json(record).text))
                        count += 1
                    }
                    guard current.hasMore, count < limit else { break }
                    current = try await page(last, min(limit - count, Self.pageRowsMax))
                }
                // Pages may have no record that matches, all of them too.
                try await writer.write(ByteBuffer(string: count == 0 ? "[]" : "]"))
                try await writer.finish(nil)
            })
    }

    /// One page of a list for a client that asked for so many, and where the next one is (RFC 8288).
    func listPage<Record>(
        _ page: Page<Record>, _ request: APIRequest, cursor: (Record) -> some CustomStringConvertible,
        _ json: (Record) -> JSONText
    ) -> Response {
        var answer = APIAnswer(.ok, JSONText(array: page.records.map(json)))
        if page.hasMore, let last = page.last {
            answer.headers[.link] = "<\(request.query(from: cursor(last).description))>; rel=\"next\""
        }
        return answer.response
    }
}

extension APIRequest {
    private static let listLimitMax: UInt64 = 1000

    /// How many records of a list the client asks for; `nil` when it wants all.
    func listLimit() throws(APIError) -> Int? { try query("limit", in: 1...Self.listLimitMax).map(Int.init) }

    /// The request's query with another beginning of the page: filters and order stay.
    func query(from cursor: String) -> String {
        let kept = (head.path?.split(separator: "?", maxSplits: 1).dropFirst().first ?? "").split(separator: "&")
            .filter { !$0.hasPrefix("cursor=") && !$0.contains { "<>\"".contains($0) } }
        return "?" + (kept + ["cursor=\(cursor)"]).joined(separator: "&")
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
