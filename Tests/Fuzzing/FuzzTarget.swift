/// The readers of bytes that anybody may have written, each with what it promises for all of them.
///
/// `FuzzingTests` runs them over `Corpus/` and mutations of it; libFuzzer runs them for as long as it is given.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// One frame of a segment.
    case frame
    /// The files of a log directory: recovery, reader and verifier.
    case recovery
    /// One record of the log.
    case event
    /// A snapshot of the writer's memory, and the file that it is in.
    case snapshot
    /// The body of a request.
    case json
    /// The body of a request that stores something, whatever JSON it is.
    case request
    /// The response of a peer that the daemon has called.
    case response

    /// Gives the input to the reader.
    ///
    /// - Throws: `BrokenPromise`, or any error that the reader may not throw.
    package func run(_ input: [UInt8]) throws {
        switch self {
        case .frame: try FrameFuzzing.run(input)
        case .recovery: try RecoveryFuzzing.run(input)
        case .event: try EventFuzzing.run(input)
        case .snapshot: try SnapshotFuzzing.run(input)
        case .json: try JSONFuzzing.run(input)
        case .request: try RequestFuzzing.run(input)
        case .response: try ResponseFuzzing.run(input)
        }
    }
}

/// A promise that does not hold for some input.
package struct BrokenPromise: Error, CustomStringConvertible {
    package let description: String
}

func promise(_ isKept: Bool, _ what: @autoclosure () -> String) throws(BrokenPromise) {
    if !isKept { throw BrokenPromise(description: what()) }
}
