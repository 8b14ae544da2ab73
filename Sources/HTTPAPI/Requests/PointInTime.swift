import Domain
import HTTPTypes
import Hummingbird
import Projections

/// The moment that a request is answered for, when that is not now.
///
/// It goes with the task, so that no handler has to know of it: `APIHandlers.projections` and `.now` look here.
struct PointInTime: Sendable {
    @TaskLocal static var current: PointInTime?

    let position: Position
    let projections: Projections
    /// What the clock showed: the time that was asked for, or the position's own.
    let time: Timestamp

    /// Names the position in an answer.
    func mark(_ headers: inout HTTPFields) { headers[.position] = position.description }
}

extension APIHandlers {
    /// Answers for the moment that the request asks for, and names its position.
    func answering(
        _ request: Request, for principal: Principal?, _ support: AsOfSupport,
        _ handler: () async throws -> Response
    ) async throws -> Response {
        guard support != .foreign else { return try await handler() }
        guard let asked = try AsOf.asked(request) else {
            return support == .answered ? try await answeringNow(handler) : try await handler()
        }
        guard support == .answered else { throw APIError.noHistory }
        if let response = try await answeringNow(asked, handler) { return response }
        let permit = try pastPermit(for: principal)
        let point = try await pointInTime(asked)
        do {
            var response = try await PointInTime.$current.withValue(point) { try await handler() }
            point.mark(&response.headers)
            // Read models stay while a response is read from them.
            return response.holding(permit)
        } catch var error as APIError {
            error.headers[.position] = point.position.description
            throw error
        }
    }

    /// Answers about the newest position from the read models of now; `nil` when that is not what is asked for, or they
    /// have gone on before the answer was complete.
    private func answeringNow(_ asked: AsOf, _ handler: () async throws -> Response) async throws -> Response? {
        let live = projections
        guard case .position(let position) = asked, position > .zero, live.settledPosition == position,
            let time = try await dependencies.history.time(of: position)
        else { return nil }
        let point = PointInTime(position: position, projections: live, time: time)
        do {
            var response = try await PointInTime.$current.withValue(point) { try await handler() }
            guard response.body.contentLength != nil, live.settledPosition == position else { return nil }
            point.mark(&response.headers)
            return response
        } catch var error as APIError {
            guard live.settledPosition == position else { return nil }
            error.headers[.position] = position.description
            throw error
        }
    }

    /// The right to read models of the past until it is released: few are kept, and each principal has a share of them.
    private func pastPermit(for principal: Principal?) throws(APIError) -> SharePool<Actor.Kind>.Permit {
        do throws(ShareRefusal) {
            return try pasts.take(for: principal?.caller ?? .system)
        } catch {
            throw APIError(error, of: "answers about the past", code: .tooManyRequests)
        }
    }

    /// Names the position when it is certain that the answer is that position's.
    private func answeringNow(_ handler: () async throws -> Response) async throws -> Response {
        let before = projections.settledPosition
        var response = try await handler()
        // What is sent page by page is read page by page.
        if let before, response.body.contentLength != nil, projections.settledPosition == before {
            response.headers[.position] = before.description
        }
        return response
    }

    private func pointInTime(_ asked: AsOf) async throws -> PointInTime {
        let history = dependencies.history
        switch asked {
        case .position(let position):
            guard position <= history.newest else {
                throw APIError.asOfOutOfRange("as_of is after the newest position, which is \(history.newest)")
            }
            let time =
                if let recorded = try await history.time(of: position) { recorded } else {
                    // Before the first event there was no time that anybody recorded.
                    Timestamp(microseconds: 0)
                }
            return PointInTime(
                position: position, projections: try await history.readModels(at: position), time: time)
        case .time(let time):
            guard time <= now else {
                throw APIError.asOfOutOfRange("as_of is yet to come; the newest position is \(history.newest)")
            }
            let position = try await history.position(at: time)
            return PointInTime(
                position: position, projections: try await history.readModels(at: position), time: time)
        }
    }
}

extension APIError {
    static let noHistory = APIError(
        .badRequest, .asOfNotAnswered, "as_of is not answered here: this does not come from the log alone; leave it out"
    )

    fileprivate static func asOfOutOfRange(_ message: String) -> APIError {
        APIError(.notFound, .asOfOutOfRange, message)
    }
}
