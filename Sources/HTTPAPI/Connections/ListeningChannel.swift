import NIOCore

/// The channel on which a listener takes connections, for one waiter.
struct ListeningChannel: Sendable {
    private let channels: AsyncStream<any Channel>
    private let channel: AsyncStream<any Channel>.Continuation

    init() { (channels, channel) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1)) }

    /// Records that the channel is open.
    func begin(_ channel: any Channel) { self.channel.yield(channel) }

    /// Records that no channel is to come.
    func finish() { channel.finish() }

    /// Waits until the channel is closed.
    ///
    /// - Returns: false when none was opened, or when the task is cancelled.
    func closed() async -> Bool {
        for await channel in channels {
            try? await channel.closeFuture.get()
            return !Task.isCancelled
        }
        return false
    }
}
