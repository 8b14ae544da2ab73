package import Domain
package import EventStore
import Logging
import Synchronization

extension Projections {
    /// Applies every event after the checkpoint, batch by batch, until the store is closed or the task cancelled.
    ///
    /// A full disk, a lack of file descriptors and a damaged file do not end it: `reach` fails with the error's code
    /// meanwhile, the batch is retried every `retryInterval`, and recorded events become visible once the resource is back
    /// or the file is made again.
    ///
    /// - Throws: `ProjectionError` when the read models are ahead of the log, or cannot be written for another reason
    ///   than a shortage; the log's own error when it cannot be read.
    package func follow(
        _ store: EventStore, retryInterval: Duration = .seconds(1), clock: any Clock<Duration> = ContinuousClock()
    ) async throws {
        do {
            try checkNotAhead(of: store)
            progress.withLock { $0.start() }
            for try await batch in store.subscribe(after: position) {
                while try await !applyUnlessShort(batch) { try await clock.sleep(for: retryInterval) }
            }
            stop(ProjectionError(.stopped, "sluice is shutting down"))
        } catch is CancellationError {
            stop(ProjectionError(.stopped, "sluice is shutting down"))
        } catch {
            stop(.wrapping(error))
            throw error
        }
    }

    /// Returns once queries see `position`; at once, with no hop, when they do already.
    ///
    /// - Throws: `ProjectionError` when following has stopped, stands still for want of space, or the task is cancelled.
    package func reach(_ position: Position) async throws(ProjectionError) {
        if self.position >= position { return }
        let ticket = progress.withLock { $0.makeTicket() }
        let isReached = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let known = progress.withLock { $0.wait(waiter, ticket: ticket, for: position) }
                if let known { waiter.resume(returning: known) }
            }
        } onCancel: {
            progress.withLock { $0.cancel(ticket) }?.resume(returning: false)
        }
        progress.withLock { $0.forget(ticket) }
        guard isReached else {
            throw failure ?? ProjectionError(.stopped, "the read models stopped before position \(position)")
        }
    }

    /// Applies the batch; false when space or a file descriptor is missing for it.
    private func applyUnlessShort(_ batch: [RecordedEvent]) async throws(ProjectionError) -> Bool {
        do {
            try await apply(batch)
            return true
        } catch {
            guard [.noSpace, .noDescriptors, .unreadable].contains(error.code) else { throw error }
            if failure == nil { logger.error("read models wait for a resource", metadata: ["error": "\(error)"]) }
            stop(error)
            return false
        }
    }

    /// Refuses a log that ends before the read models do: it has lost what they show.
    package func checkNotAhead(of store: EventStore) throws(ProjectionError) {
        guard position > store.durablePosition else { return }
        throw ProjectionError(
            .aheadOfLog,
            "the read models stand at position \(position) and the log ends at \(store.durablePosition): the log has "
                + "lost events that were acknowledged, or belongs to another data directory. Restore the log from a "
                + "backup; if the log is right, run `sluice projections rebuild`")
    }

    private func stop(_ error: ProjectionError) {
        for waiter in progress.withLock({ $0.stop(error) }) { waiter.resume(returning: false) }
    }
}
