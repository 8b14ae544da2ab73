import Foundation
import Fuzzing
import Testing

/// What the readers of foreign bytes promise, for the inputs that a fuzzer found and for small changes of them.
///
/// `make fuzz` looks for new ones. An input that breaks a promise goes into the corpus together with its fix.
@Suite struct FuzzingTests {
    @Test(arguments: FuzzTarget.allCases)
    func keepsItsPromisesForEveryInputOfTheCorpus(target: FuzzTarget) throws {
        let corpus = try Self.corpus(target)
        #expect(corpus.count >= 10)
        for (name, input) in corpus {
            do { try target.run(input) } catch { Issue.record("\(target.rawValue)/\(name): \(error)") }
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func keepsItsPromisesForMutations(target: FuzzTarget) throws {
        var mutation = Mutation(seed: 1, corpus: try Self.corpus(target).map(\.input))
        for number in 0..<Self.mutations(target) {
            let input = mutation.next()
            do {
                try target.run(input)
            } catch {
                Issue.record("\(target.rawValue), mutation \(number): \(error); \(Data(input).base64EncodedString())")
            }
        }
    }

    /// A few seconds of each in the debug configuration.
    private static func mutations(_ target: FuzzTarget) -> Int {
        switch target {
        case .frame: 6_000
        case .recovery: 2_000
        case .event: 5_000
        case .snapshot: 3_000
        case .json: 4_000
        case .request: 4_000
        case .response: 3_000
        }
    }

    private static func corpus(_ target: FuzzTarget) throws -> [(name: String, input: [UInt8])] {
        let directory = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Fuzzing/Corpus/\(target.rawValue)").standardized
        return try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted().map { name in
            (name, [UInt8](try Data(contentsOf: directory.appending(path: name))))
        }
    }
}
