/// Holds segments against each other, oldest first: each has to go on where the one before it ended.
struct SegmentChain: Sendable {
    /// The tree of all records so far.
    private(set) var frontier = MerkleFrontier()

    /// Begins with the first segment of the log.
    init() {}

    /// Begins with that segment, and believes what it says of those before it.
    init(before header: SegmentHeader) { frontier = header.frontier }

    /// Takes up the next segment; what of a damaged one is whole counts.
    ///
    /// - Throws: `LogError.damaged`.
    mutating func append(_ check: SegmentCheck) throws(LogError) {
        try follow(check.header)
        frontier = check.frontier
        if let damage = check.damage { throw damage }
    }

    /// Whether a segment with that header can be the next one.
    ///
    /// - Throws: `LogError.damaged`.
    func follow(_ header: SegmentHeader) throws(LogError) {
        guard header.firstPosition == frontier.count + 1 else {
            throw .damaged(
                segment: header.fileName, position: frontier.count + 1, offset: 0,
                reason: "positions \(frontier.count + 1) to \(header.firstPosition) do not follow each other")
        }
        guard header.frontier == frontier else {
            throw .damaged(
                segment: header.fileName, position: header.firstPosition, offset: 0,
                reason: "the Merkle root of all records before it does not match")
        }
    }
}
