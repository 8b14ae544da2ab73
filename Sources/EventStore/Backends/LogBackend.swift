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

    /// Durable records from `position` on, at least one when there is one and about `bytesMax` bytes at most.
    func read(from position: UInt64, bytesMax: Int) async throws(LogBackendError) -> [[UInt8]]

    /// Ends writing in order; nothing may be appended afterwards.
    func close() async throws(LogBackendError)
}

package enum LogBackendError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nothing was kept; appends succeed again once there is space.
    case noSpace(String)
    /// No append succeeds any more.
    case stopped(String)
    case damaged(String)
    case tooLarge(String)

    package var description: String {
        switch self {
        case .noSpace(let reason), .stopped(let reason), .damaged(let reason), .tooLarge(let reason): reason
        }
    }
}
