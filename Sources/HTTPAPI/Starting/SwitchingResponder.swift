import Hummingbird
import Synchronization

/// Answers by one router until another takes its place, on the same connections.
final class SwitchingResponder: HTTPResponder {
    private let current: Mutex<RouterResponder<APIContext>>

    init(_ first: RouterResponder<APIContext>) { current = Mutex(first) }

    /// Has later requests answered by the router.
    func change(to next: RouterResponder<APIContext>) { current.withLock { $0 = next } }

    func respond(to request: Request, context: APIContext) async throws -> Response {
        try await current.withLock { $0 }.respond(to: request, context: context)
    }
}
