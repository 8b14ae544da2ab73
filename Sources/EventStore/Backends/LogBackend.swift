package import EventLog

/// Where records are kept in order: the file log of one machine, memory, or a replicated engine.
///
/// Every implementation passes `LogBackendContract` in the tests.
package protocol LogBackend: Sendable {
    /// The newest position that survives a crash.
    var durablePosition: UInt64 { get async }

    /// Appends the records as one: after any crash all of them are there or none. Durable on return.
    ///
    /// - Returns: the position of the first record; the others follow it.
    func append(_ records: [[UInt8]]) async throws(LogBackendError) -> UInt64

    /// Durable records from `position` on (0 is read as 1): at least one when there is one, and as many as fit into
    /// `bytesMax`, or a little more; none at the end. Of a record that is not kept there is its hash. Works after `close`
    /// too.
    func read(from position: UInt64, bytesMax: Int) async throws(LogBackendError) -> [LogRecord]

    /// The number of rewrites of the log without records that are no longer kept.
    func editions() async throws(LogBackendError) -> UInt64

    /// Ends writing in order: every later append is refused with `stopped`. Closing again changes nothing.
    func close() async throws(LogBackendError)
}

package enum LogBackendError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nothing was kept; appends succeed again once there is space.
    case noSpace(String)
    /// Nothing was kept or read; it succeeds again once file descriptors are free.
    case noDescriptors(String)
    /// No append succeeds any more.
    case stopped(String)
    /// What was durable cannot be read, or is not what was written.
    case damaged(String)
    /// The batch is empty, or larger than the log takes; nothing was kept.
    case tooLarge(String)

    static let closed = LogBackendError.stopped("the log is closed")

    package var description: String {
        switch self {
        case .noSpace(let reason), .noDescriptors(let reason), .stopped(let reason), .damaged(let reason),
            .tooLarge(let reason):
            reason
        }
    }
}
