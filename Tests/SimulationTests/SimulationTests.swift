import Simulation
import Testing

/// Sluice's write side under crashes, torn writes, full disks, failed syncs and jumping clocks, from random seeds.
@Suite struct SimulationTests {
    /// New seeds each time; a failure names the one that replays it.
    @Test func promisesHoldInWorldsThatNobodyChose() throws {
        var starts = 0
        for _ in 0..<400 {
            let seed = UInt64.random(in: 0...UInt64.max)
            do {
                starts += try Simulation.run(seed: seed).starts
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
        }
        #expect(starts > 2000)
    }

    @Test func theSameSeedRunsTheSameWorld() throws {
        for seed in UInt64(1)...5 {
            let (first, second) = (try Simulation.run(seed: seed), try Simulation.run(seed: seed))
            #expect("\(first)" == "\(second)")
        }
    }

    /// A simulation that finds nothing planted proves nothing.
    @Test(arguments: PlantedBug.allCases)
    func findsEveryPlantedBug(bug: PlantedBug) {
        let found = (UInt64(0)..<400).first { seed in
            do {
                _ = try Simulation.run(seed: seed, bug: bug)
                return false
            } catch {
                return true
            }
        }
        #expect(found != nil, "\(bug.rawValue) goes unnoticed")
    }
}
