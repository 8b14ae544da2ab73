import Dispatch

/// Work that blocks its thread: reading a log, opening a database.
///
/// It has a thread of its own, because requests are answered by the threads that tasks share, on a machine with one core by a
/// single one.
enum BlockingWork {
    /// Runs the work to its end; a cancellation does not interrupt it.
    static func run<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
            DispatchQueue(label: "sluice.start").async {
                continuation.resume(returning: Result { () throws(Failure) in try body() })
            }
        }
        return try result.get()
    }
}
