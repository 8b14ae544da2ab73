package import Domain
import Synchronization

/// Says what is in an agent's sources: the tools and models that it calls, secrets, packages, where it begins.
///
/// Sources are read by a Python program (`Python/`) in a process of its own; nothing of them is ever run.
package struct SourceAnalyzer: Sendable {
    /// Runs a Python program over its input, in a world with nothing else in it.
    package typealias Run =
        @Sendable (_ program: String, _ input: [UInt8]) async throws(AnalysisFailure) -> [UInt8]

    private let run: Run
    private let places: Places

    /// - Parameter placesMax: how many analyses run at once; beyond that they are refused, never queued.
    package init(placesMax: Int = 4, run: @escaping Run) {
        self.run = run
        places = Places(count: placesMax)
    }

    /// What was found, an object as the API shows it, without an id.
    package func analyze(_ files: SourceFiles) async throws(AnalysisFailure) -> JSONValue {
        guard places.take() else { throw .busy }
        defer { places.giveBack() }
        let input = JSONValue.object([.init(name: "files", value: files.value)]).text
        let output = try await run(AnalyzerProgram.source, Array(input.text.utf8))
        guard let found = try? JSONValue(parsing: output), case .object = found else {
            throw .failed("the analyzer's answer cannot be read")
        }
        return found
    }

    private final class Places: Sendable {
        private let free: Mutex<Int>

        init(count: Int) { free = Mutex(count) }

        func take() -> Bool {
            free.withLock { free in
                guard free > 0 else { return false }
                free -= 1
                return true
            }
        }

        func giveBack() { free.withLock { $0 += 1 } }
    }
}

/// Why sources were not analysed.
package enum AnalysisFailure: Error, Hashable, Sendable {
    /// This machine has no Python that could.
    case unavailable(String)
    case busy
    case tookTooLong
    /// The analyzer could not cope with these sources.
    case failed(String)
}
