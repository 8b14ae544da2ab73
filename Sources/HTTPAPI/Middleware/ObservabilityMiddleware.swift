import HTTPTypes
import Hummingbird
import Logging
import Metrics
import Projections
import Synchronization

/// Gives each request an id, turns every error into an answer, and logs what came of it.
///
/// Paths are logged as their route's pattern: a path may carry an agent's key.
final class ObservabilityMiddleware: RouterMiddleware {
    typealias Context = APIContext

    /// What a request's duration is recorded under: as many as there are routes, methods and statuses.
    private struct Outcome: Hashable {
        let method: String
        let route: String
        let status: Int
    }

    /// The statuses of refusals that pass by themselves; every answer with one of them has `Retry-After`.
    private static let saysWhenToRetry: [HTTPResponse.Status] = [.tooManyRequests, .serviceUnavailable]
    private static let retryAfterSeconds = "5"

    private let newRequestID: @Sendable () -> String
    private let timers = Mutex<[Outcome: Timer]>([:])

    init(newRequestID: @escaping @Sendable () -> String) { self.newRequestID = newRequestID }

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var context = context
        context.requestID = requestID(request)
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            let apiError = APIError(error)
            if apiError.status.code >= 500, !(error is APIError) {
                context.logger.error(
                    "request failed", metadata: ["request_id": "\(context.requestID)", "error": "\(error)"])
            }
            // The router names a word for a path that has no route.
            let route = context.endpointPath.flatMap { $0.hasPrefix("/") ? $0 : nil } ?? request.uri.path
            response = apiError.response(on: route)
        }
        // A body would be read as the beginning of the connection's next response.
        if request.method == .head {
            response = Self.withoutBody(response)
        } else if response.body.contentLength == nil {
            response.body = Self.logged(response.body, context)
        }
        response.headers[.requestID] = context.requestID
        if Self.saysWhenToRetry.contains(response.status), response.headers[.retryAfter] == nil {
            response.headers[.retryAfter] = Self.retryAfterSeconds
        }
        let route = context.endpointPath ?? "unknown"
        timer(request.method, route, response.status).record(duration: start.duration(to: .now))
        context.logger.debug(
            "request",
            metadata: [
                "method": "\(request.method.rawValue)", "route": "\(route)", "status": "\(response.status.code)",
                "request_id": "\(context.requestID)",
            ])
        return response
    }

    /// A body that logs its own end when something cannot be read. The client sees a connection that ends before the
    /// body does.
    private static func logged(_ body: ResponseBody, _ context: APIContext) -> ResponseBody {
        ResponseBody { writer in
            do {
                try await body.write(writer)
            } catch {
                if error is ProjectionError {
                    context.logger.error(
                        "response broken off", metadata: ["request_id": "\(context.requestID)", "error": "\(error)"])
                }
                throw error
            }
        }
    }

    /// The head alone. It names the length that the body would have, unless that is unknown.
    private static func withoutBody(_ response: Response) -> Response {
        Response(
            status: response.status, headers: response.headers, body: ResponseBody { try await $0.finish(nil) })
    }

    private func timer(_ method: HTTPRequest.Method, _ route: String, _ status: HTTPResponse.Status) -> Timer {
        let outcome = Outcome(
            method: HTTPMethods.all.contains(method) ? method.rawValue : "other", route: route, status: status.code)
        return timers.withLock { timers in
            if let timer = timers[outcome] { return timer }
            let timer = Timer(
                label: "sluice_http_request_seconds",
                dimensions: [("method", outcome.method), ("route", route), ("status", String(outcome.status))])
            timers[outcome] = timer
            return timer
        }
    }

    /// The client's id when it is short and plain, else a new one.
    private func requestID(_ request: Request) -> String {
        guard let given = request.headers[.requestID], (1...128).contains(given.utf8.count),
            given.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return newRequestID() }
        return given
    }
}

/// The methods of HTTP that routes are asked with.
enum HTTPMethods {
    static let all: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options, .trace, .connect]
    /// Those that some route has, as `Allow` lists them.
    static let served = "GET, HEAD, POST, PUT, PATCH, DELETE"

    /// The refusal of a method that no route has; without a name where it could not be read.
    static func notAllowed(_ method: HTTPRequest.Method?) -> APIError {
        let message =
            method.map { "method \($0.rawValue.prefix(32)) is not allowed; use one of \(served)" }
            ?? "the bytes begin with no method of HTTP: use one of \(served), over a connection without TLS"
        var error = APIError(.methodNotAllowed, .methodNotAllowed, message)
        error.headers[.allow] = served
        return error
    }
}
