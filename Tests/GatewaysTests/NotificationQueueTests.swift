import Domain
import Gateways
import Testing

struct NotificationQueueTests {
    private static let now = Timestamp(microseconds: 1_000_000)

    private static func job(_ number: UInt64, _ workspace: WorkspaceName = .default, due: Timestamp = now)
        -> NotificationQueue.Job
    {
        .init(.ask, .request(AccessRequestID(UUIDValue(high: 0, low: number))), workspace, due: due)
    }

    private static func takeAll(_ queue: NotificationQueue, at time: Timestamp = now) -> [NotificationQueue.Job] {
        var jobs: [NotificationQueue.Job] = []
        while let job = queue.take(at: time) { jobs.append(job) }
        return jobs
    }

    @Test func worksOnNoMoreJobsThanItsLimit() {
        let queue = NotificationQueue(workersMax: 3, laneMax: 3)
        for number in 1...1000 { queue.add(Self.job(UInt64(number))) }
        let jobs = Self.takeAll(queue)
        #expect(jobs.count == 3 && queue.count == 997)
        queue.end(jobs[0])
        #expect(Self.takeAll(queue).count == 1)
    }

    @Test func givesEachWorkspaceItsTurnAndItsShare() throws {
        let queue = NotificationQueue(workersMax: 6, laneMax: 4)
        let other = try #require(WorkspaceName("other"))
        for number in 1...100 { queue.add(Self.job(UInt64(number))) }
        queue.add(Self.job(101, other))
        #expect(Self.takeAll(queue).map(\.workspace) == [.default, other, .default, .default, .default])
    }

    @Test func takesWhatIsDueFirstAndNothingBefore() {
        let queue = NotificationQueue()
        let later = Timestamp(microseconds: 2_000_000)
        queue.add(Self.job(1, due: later))
        queue.add(Self.job(2))
        #expect(Self.takeAll(queue).map(\.subject) == [Self.job(2).subject])
        #expect(Self.takeAll(queue, at: later).map(\.subject) == [Self.job(1).subject])
    }

    @Test func takesJobsOfOneTimeInTheirOrder() {
        let queue = NotificationQueue()
        for number in 1...16 { queue.add(Self.job(UInt64(number))) }
        #expect(Self.takeAll(queue).map(\.subject) == (1...16).map { Self.job(UInt64($0)).subject })
    }
}
