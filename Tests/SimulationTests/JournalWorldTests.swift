import Foundation
import Simulation
import Testing

/// Handlers with threads, polls and retries under blocks, crashes and superseded attempts, from random seeds.
@Suite struct JournalWorldTests {
    /// New seeds each time, as many as there is time for; a failure names the one that replays it.
    @Test func eachPaymentIsMadeOnceInWorldsOfNewSeeds() {
        let seconds = ProcessInfo.processInfo.environment["SIMULATION_SECONDS"].flatMap(Int.init) ?? 20
        let end = ContinuousClock.now + .seconds(max(1, seconds / 4))
        var (worlds, completed) = (0, 0)
        repeat {
            let seed = UInt64.random(in: 0...UInt64.max)
            do {
                completed += try JournalWorld.run(seed: seed).isCompleted ? 1 : 0
            } catch {
                Issue.record("journal seed \(seed): \(error)")
            }
            worlds += 1
        } while ContinuousClock.now < end
        print("\(worlds) journals, \(completed) completed")
        #expect(completed > worlds / 2)
    }

    @Test func theSameSeedRunsTheSameWorld() throws {
        for seed in UInt64(1)...20 {
            #expect("\(try JournalWorld.run(seed: seed))" == "\(try JournalWorld.run(seed: seed))")
        }
    }

    /// A simulation that finds nothing planted proves nothing.
    @Test(arguments: PlantedJournalBug.allCases)
    func findsEveryPlantedBug(bug: PlantedJournalBug) {
        let found = (UInt64(0)..<2_000).first { seed in
            do {
                _ = try JournalWorld.run(seed: seed, bug: bug)
                return false
            } catch {
                return true
            }
        }
        #expect(found != nil, "\(bug.rawValue) goes unnoticed")
    }
}
