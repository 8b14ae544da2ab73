import Domain
import Synchronization

/// The parts of shared resources that one request has, until its response is written.
final class RequestHoldings: Sendable {
    typealias Permit = SharePool<Actor.Kind>.Permit

    private let request: Permit
    private let body = Mutex<Permit?>(nil)

    init(request: Permit) { self.request = request }

    /// Keeps the bytes of the request's body as taken.
    func keep(body permit: Permit) { body.withLock { $0 = permit } }
}
