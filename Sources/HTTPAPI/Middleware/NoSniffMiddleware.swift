import HTTPTypes
import Hummingbird

/// Forbids browsers to guess another type than a response says it has.
struct NoSniffMiddleware: RouterMiddleware {
    typealias Context = APIContext

    private static let name: HTTPField.Name = {
        guard let name = HTTPField.Name("X-Content-Type-Options") else { preconditionFailure("it is a field name") }
        return name
    }()

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        response.headers[Self.name] = "nosniff"
        return response
    }
}
