package import Dispatch
import Metrics
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Lines on their way to standard output or standard error.
///
/// The descriptor is written by a thread of its own, so that a reader that hangs holds up nothing else. Lines beyond `bytesMax`
/// are dropped and counted; once there is room again, `onDropped` receives their number.
package final class OutputQueue: Sendable {
    private struct State {
        var pending: [UInt8] = []
        var pendingCount = 0
        /// Lines that were dropped since `onDropped` was called.
        var droppedCount = 0
        var isWriting = false
    }

    /// The deadline of a flush at the end of the process, for all outputs that are flushed together.
    package static var flushDeadline: DispatchTime { .now() + .milliseconds(500) }

    private let descriptor: CInt
    private let bytesMax: Int
    private let onDropped: @Sendable (Int) -> Void
    private let state = Mutex(State())
    private let thread: DispatchQueue
    private let writing = DispatchGroup()
    private let dropped = Counter(label: "sluice_log_lines_dropped_total")

    /// - Parameters:
    ///   - bytesMax: the most bytes that wait to be written.
    ///   - onDropped: receives the number of dropped lines, on the thread that writes.
    package init(
        descriptor: CInt, bytesMax: Int = 1024 * 1024, onDropped: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.descriptor = descriptor
        self.bytesMax = bytesMax
        self.onDropped = onDropped
        thread = DispatchQueue(label: "sluice.output.\(descriptor)")
    }

    /// Adds a line, which ends with a line feed, or drops it; returns at once.
    package func write(_ line: String) {
        let begins = state.withLock { state in
            guard state.pending.count + line.utf8.count <= bytesMax else {
                state.droppedCount += 1
                dropped.increment()
                return false
            }
            state.pending.append(contentsOf: line.utf8)
            state.pendingCount += 1
            defer { state.isWriting = true }
            return !state.isWriting
        }
        guard begins else { return }
        writing.enter()
        thread.async { self.writePending() }
    }

    /// Returns once everything is written, or at the deadline.
    package func flush(by deadline: DispatchTime) { _ = writing.wait(timeout: deadline) }

    private func writePending() {
        defer { writing.leave() }
        while let (bytes, lineCount) = take() {
            if !write(bytes) { dropped.increment(by: lineCount) }
            let droppedCount = state.withLock { state in
                defer { state.droppedCount = 0 }
                return state.droppedCount
            }
            if droppedCount > 0 { onDropped(droppedCount) }
        }
    }

    private func take() -> ([UInt8], Int)? {
        state.withLock { state in
            guard !state.pending.isEmpty else {
                state.isWriting = false
                return nil
            }
            defer { (state.pending, state.pendingCount) = ([], 0) }
            return (state.pending, state.pendingCount)
        }
    }

    /// Writes all bytes, however long that takes; false when the reader is gone.
    private func write(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count, let base = buffer.baseAddress {
                #if canImport(Glibc)
                    let count = Glibc.write(descriptor, base + written, buffer.count - written)
                #else
                    let count = Darwin.write(descriptor, base + written, buffer.count - written)
                #endif
                if count >= 0 {
                    written += count
                } else if errno == EAGAIN {
                    // A supervisor may have made the pipe non-blocking.
                    var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&request, 1, -1)
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }
}
