package import Domain
import HeapModule
import Synchronization

/// The messages to approvers that are to be sent, in order of the time that each is due.
///
/// A task for each of them would cost memory, and all would read at once. However many wait, `workersMax` are worked on, and
/// `laneMax` of one workspace, so that connectors that do not answer hold up no other workspace.
package final class NotificationQueue: Sendable {
    /// One thing to do about a subject.
    package struct Job: Sendable, Comparable {
        /// The kinds of messages.
        package enum Kind: Hashable, Sendable {
            case ask
            case followUp
        }

        /// The message that is sent.
        package let kind: Kind
        /// The decision that it is about.
        package let subject: DeliverySubject
        /// The workspace of both.
        package let workspace: WorkspaceName
        /// The position from which the subject can be read.
        package let position: Position
        /// The time from which it is taken.
        package let due: Timestamp
        fileprivate var number: UInt64 = 0

        /// Makes a job, which is due at once unless a time is given.
        package init(
            _ kind: Kind, _ subject: DeliverySubject, _ workspace: WorkspaceName, at position: Position = .zero,
            due: Timestamp = Timestamp(microseconds: 0)
        ) {
            self.kind = kind
            self.subject = subject
            self.workspace = workspace
            self.position = position
            self.due = due
        }

        /// True when the job is taken before the other.
        package static func < (one: Job, other: Job) -> Bool { (one.due, one.number) < (other.due, other.number) }
        /// True for the same job of a queue.
        package static func == (one: Job, other: Job) -> Bool { one.number == other.number }
    }

    private struct Lane {
        var jobs = Heap<Job>()
        var workerCount = 0
    }

    private struct State {
        var lanes: [WorkspaceName: Lane] = [:]
        /// Workspaces with jobs, the one whose turn is next first.
        var order: [WorkspaceName] = []
        var workerCount = 0
        var jobCount: UInt64 = 0
    }

    private let workersMax: Int
    private let laneMax: Int
    private let state = Mutex(State())
    /// One element when something has changed since the last look.
    let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - workersMax: the most jobs that are worked on.
    ///   - laneMax: the most of them of one workspace.
    package init(workersMax: Int = 64, laneMax: Int = 16) {
        self.workersMax = workersMax
        self.laneMax = laneMax
        (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The number of jobs that wait to be taken.
    package var count: Int { state.withLock { $0.lanes.values.reduce(0) { $0 + $1.jobs.count } } }

    /// Adds a job; it is taken once it is due.
    package func add(_ job: Job) {
        state.withLock { state in
            var job = job
            state.jobCount += 1
            job.number = state.jobCount
            if state.lanes[job.workspace] == nil {
                state.lanes[job.workspace] = Lane()
                state.order.append(job.workspace)
            }
            state.lanes[job.workspace]?.jobs.insert(job)
        }
        change.yield()
    }

    /// Takes the next job that is due, of each workspace in turn; `nil` when there is none, or as many are worked on as may be.
    package func take(at now: Timestamp) -> Job? {
        state.withLock { state in
            guard state.workerCount < workersMax else { return nil }
            for (index, workspace) in state.order.enumerated() {
                guard var lane = state.lanes[workspace], lane.workerCount < laneMax, let next = lane.jobs.min,
                    next.due <= now
                else { continue }
                lane.jobs.removeMin()
                lane.workerCount += 1
                state.lanes[workspace] = lane
                state.workerCount += 1
                state.order.remove(at: index)
                state.order.append(workspace)
                return next
            }
            return nil
        }
    }

    /// Has the queue look again for jobs that are due by now.
    func look() { change.yield() }

    /// Ends a job that was taken.
    package func end(_ job: Job) {
        state.withLock { state in
            state.workerCount -= 1
            state.lanes[job.workspace]?.workerCount -= 1
            guard let lane = state.lanes[job.workspace], lane.workerCount == 0, lane.jobs.isEmpty else { return }
            state.lanes[job.workspace] = nil
            state.order.removeAll { $0 == job.workspace }
        }
        change.yield()
    }
}
