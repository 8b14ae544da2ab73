/// The moment from which the address is bound, for one waiter.
struct Listening: Sendable {
    private let stream: AsyncStream<Int?>
    private let continuation: AsyncStream<Int?>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    /// Records that the address is bound.
    func begin(port: Int?) {
        continuation.yield(port)
        continuation.finish()
    }

    /// The port, once it is bound.
    ///
    /// - Throws: `CancellationError` when the task is cancelled before that.
    func port() async throws -> Int? {
        for await port in stream { return port }
        throw CancellationError()
    }
}
