package import Domain

/// Says what is in an agent's sources: the tools and models that it calls, secrets, packages, where it begins.
///
/// Sources are read by a Python program (`Python/`) in a process of its own; nothing of them is ever run.
package struct SourceAnalyzer: Sendable {
    /// Runs a Python program over its input, in a world with nothing else in it.
    package typealias Run =
        @Sendable (_ program: String, _ input: [UInt8]) async throws(AnalysisFailure) -> [UInt8]

    private static let wait = Duration.milliseconds(100)
    private static let waitsMax = 100

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
        guard let permit = try? places.take(for: caller) else { throw .busy }
        return try await read(files, [], holding: permit)
    }

    /// The packages that the sources need and where they begin, as `analyze` finds them.
    ///
    /// While its share is taken, it waits for a permit, 10 seconds at most: deploys may follow each other closely.
    ///
    /// - Parameter caller: the principal whose share of the analyses is used.
    package func start(of files: SourceFiles, for caller: Actor.Kind) async throws(AnalysisFailure) -> FoundStart {
        var permit = try? places.take(for: caller)
        for _ in 0..<Self.waitsMax where permit == nil {
            do { try await Task.sleep(for: Self.wait) } catch { throw .busy }
            permit = try? places.take(for: caller)
        }
        guard let permit else { throw .busy }
        let found = try await read(files, [.init(name: "starting", value: .bool(true))], holding: permit)
        guard let start = FoundStart(found) else { throw .failed("the analyzer's answer cannot be read") }
        return start
    }

    private func read(
        _ files: SourceFiles, _ options: [JSONValue.Member], holding permit: SharePool<Actor.Kind>.Permit
    ) async throws(AnalysisFailure) -> JSONValue {
        defer { withExtendedLifetime(permit) {} }
        let input = JSONValue.object([.init(name: "files", value: files.value)] + options).text
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
