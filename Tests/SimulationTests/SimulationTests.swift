import Foundation
import Simulation
import Testing

/// Sluice's write side under crashes, torn writes, full disks, failed syncs and jumping clocks, from random seeds.
@Suite struct SimulationTests {
    /// New seeds each time, as many as there is time for; a failure names the one that replays it.
    @Test func promisesHoldInWorldsThatNobodyChose() async throws {
        let seconds = ProcessInfo.processInfo.environment["SIMULATION_SECONDS"].flatMap(Int.init) ?? 20
        let end = ContinuousClock.now + .seconds(seconds)
        let (worlds, starts) = await withTaskGroup { group in
            for _ in 0..<ProcessInfo.processInfo.activeProcessorCount {
                group.addTask { Self.worlds(until: end) }
            }
            return await group.reduce((worlds: 0, starts: 0)) { ($0.worlds + $1.worlds, $0.starts + $1.starts) }
        }
        print("\(worlds) worlds, \(starts) starts")
        #expect(worlds > 0 && starts > 5 * worlds)
    }

    private static func worlds(until end: ContinuousClock.Instant) -> (worlds: Int, starts: Int) {
        var (worlds, starts) = (0, 0)
        repeat {
            let seed = UInt64.random(in: 0...UInt64.max)
            do {
                starts += try Simulation.run(seed: seed).starts
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
            worlds += 1
        } while ContinuousClock.now < end
        return (worlds, starts)
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
