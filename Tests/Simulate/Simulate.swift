import ArgumentParser
import Simulation

/// Runs the simulation over many seeds, or one of them again.
@main
struct Simulate: ParsableCommand {
    @Option(help: "How many worlds to run.") var seeds = 10_000
    @Option(help: "The first seed; a random one when left out. With --seeds 1 it replays exactly.") var first: UInt64?
    @Option(help: "A bug to plant: \(PlantedBug.allCases.map(\.rawValue).joined(separator: ", ")).") var plant: String?

    func validate() throws {
        guard plant.map({ PlantedBug(rawValue: $0) == nil }) != true else {
            throw ValidationError("--plant must be one of \(PlantedBug.allCases.map(\.rawValue))")
        }
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
        if failed > 0 { throw ExitCode(1) }
    }
}
