import ArgumentParser
import Simulation

/// Runs the simulation over many seeds, or one of them again.
@main
struct Simulate: ParsableCommand {
    @Option(help: "How many worlds to run.") var seeds = 10_000
    @Option(help: "The first seed; a random one when left out. With --seeds 1 it replays exactly.") var first: UInt64?
    @Option(help: "A bug to plant: \(Self.bugs.joined(separator: ", ")).") var plant: String?

    private static let bugs = PlantedBug.allCases.map(\.rawValue) + PlantedJournalBug.allCases.map(\.rawValue)

    func validate() throws {
        guard plant.map({ !Self.bugs.contains($0) }) != true else {
            throw ValidationError("--plant must be one of \(Self.bugs)")
        }
    }

    /// Runs twice as many worlds of one run's journal, which are smaller.
    ///
    /// - Returns: the number of failed ones.
    private func journalWorlds(from start: UInt64) -> Int {
        var (failed, payments, attempts) = (0, 0, 0)
        let count = seeds == 1 ? 1 : 2 * seeds
        for number in 0..<UInt64(count) {
            let seed = start &+ number
            do {
                let world = try JournalWorld.run(seed: seed, bug: plant.flatMap(PlantedJournalBug.init(rawValue:)))
                payments += world.payments
                attempts += world.attempts
                if seeds == 1 { print(world) }
            } catch {
                failed += 1
                print("journal seed \(seed): \(error)")
            }
        }
        print("\(count) journals, \(payments) payments, \(attempts) attempts, \(failed) failed")
        return failed
    }

    func run() throws {
        let start = first ?? UInt64.random(in: 0...UInt64.max >> 1)
        print("seeds \(start) to \(start &+ UInt64(seeds) &- 1)")
        var failed = 0
        var events = 0
        var starts = 0
        for number in 0..<UInt64(seeds) {
            let seed = start &+ number
            do {
                let world = try Simulation.run(seed: seed, bug: plant.flatMap(PlantedBug.init(rawValue:)))
                events += world.events
                starts += world.starts
                if seeds == 1 { print(world) }
            } catch {
                failed += 1
                print("seed \(seed): \(error)")
            }
        }
        print("\(seeds) worlds, \(events) events, \(starts) starts, \(failed) failed")
        failed += journalWorlds(from: start)
        if failed > 0 { throw ExitCode(1) }
    }
}
