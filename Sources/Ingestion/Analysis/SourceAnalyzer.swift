package import Domain

/// Says what is in an agent's sources: the tools and models that it calls, secrets, packages, where it begins.
///
/// Sources are read by a Python program (`Python/`) in a process of its own; nothing of them is ever run.
package struct SourceAnalyzer: Sendable {
    /// Runs a Python program over its input, in a world with nothing else in it.
    package typealias Run =
        @Sendable (_ program: String, _ input: [UInt8]) async throws(AnalysisFailure) -> [UInt8]

    private let run: Run
    private let places: SharePool<Actor.Kind>

    /// - Parameter placesMax: maximum concurrent analyses; more are refused, never queued.
    package init(placesMax: Int = 4, run: @escaping Run) {
        self.run = run
        places = SharePool(ShareRule(total: placesMax))
    }

    /// What was found, an object as the API shows it, without an id.
    ///
    /// - Parameter caller: the principal whose share of the analyses is used.
    package func analyze(_ files: SourceFiles, for caller: Actor.Kind) async throws(AnalysisFailure) -> JSONValue {
        guard let place = try? places.take(for: caller) else { throw .busy }
        defer { withExtendedLifetime(place) {} }
        let input = JSONValue.object([.init(name: "files", value: files.value)]).text
        let output = try await run(AnalyzerProgram.source, Array(input.text.utf8))
        guard let found = try? JSONValue(parsing: output), case .object = found else {
            throw .failed("the analyzer's answer cannot be read")
        }
        return found
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
