import Dispatch
import HTTPAPI

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Ends the process a moment after a stop that comes before the start has ended, in whatever phase.
///
/// The folds stop by themselves between two batches. A phase that waits for the disk, or for a master key's file, cannot: then the
/// process ends where it is, as by a crash, which every phase survives.
struct StartDeadline: Sendable {
    private static let gracePeriod = DispatchTimeInterval.milliseconds(500)
    /// Time for the last lines after that. Both together leave room in the second that a stop may take.
    private static let flushTimeout = DispatchTimeInterval.milliseconds(250)

    let progress: StartProgress
    /// Writes out the last lines; it returns at the deadline, whatever becomes of them.
    let flush: @Sendable (DispatchTime) -> Void

    /// Interrupts the start, if it has not ended.
    func arm() {
        guard progress.interrupt() else { return }
        DispatchQueue(label: "sluice.stop").asyncAfter(deadline: .now() + Self.gracePeriod) {
            flush(.now() + Self.flushTimeout)
            _exit(0)
        }
    }
}
