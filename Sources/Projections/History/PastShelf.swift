import Domain

/// Which past positions there are read models of, which are to be made, and who waits for them. Does no work itself.
struct PastShelf {
    typealias Outcome = Result<Projections, ProjectionError>
    typealias Waiter = AsyncStream<Outcome>.Continuation

    /// What becomes of a question.
    enum Answer {
        case ready(Projections)
        /// The waiter will be told.
        case ordered
        /// Too much is ordered already.
        case refused
    }

    private struct Entry {
        let position: Position
        var projections: Projections
        let sizeBytes: Int
        var lastUse: UInt64
    }

    private struct Order {
        let position: Position
        var waiters: [Waiter]
    }

    private let configuration: PastReadModelsConfiguration
    private var entries: [Entry] = []
    /// The first is the one that is being made, when one is.
    private var orders: [Order] = []
    private var uses: UInt64 = 0
    /// Taken off the shelf, and perhaps still in use.
    private var leaving: [Projections] = []
    /// True when what is being made may come from what was to be forgotten.
    private var isStale = false

    init(_ configuration: PastReadModelsConfiguration) { self.configuration = configuration }

    /// The positions that are there, oldest first.
    var positions: [Position] { entries.map(\.position).sorted() }

    /// The paths of all that there are, those included that are only still in use.
    var paths: [String] { (entries.map(\.projections) + leaving).map(\.path) }

    /// Gives out the read models of the position, or orders them.
    mutating func ask(_ position: Position, _ waiter: Waiter) -> Answer {
        if let index = entries.firstIndex(where: { $0.position == position }) { return .ready(use(index)) }
        guard orders.reduce(0, { $0 + $1.waiters.count }) < configuration.waitersMax else { return .refused }
        if let index = orders.firstIndex(where: { $0.position == position }) {
            orders[index].waiters.append(waiter)
            return .ordered
        }
        guard orders.count < configuration.ordersMax else { return .refused }
        orders.append(Order(position: position, waiters: [waiter]))
        return .ordered
    }

    /// The read models of the position, when they are there.
    mutating func ready(_ position: Position) -> Projections? {
        entries.firstIndex { $0.position == position }.map { use($0) }
    }

    /// The newest position that is there and not beyond that one.
    func nearest(to position: Position) -> Position? {
        entries.map(\.position).filter { $0 <= position }.max()
    }

    /// The position to make next; `finish` has to follow.
    var nextOrder: Position? { orders.first?.position }

    /// The newest read models that are not beyond the position: what is made from them needs the fewest events.
    mutating func base(for position: Position) -> Projections? {
        let before = entries.indices.filter { entries[$0].position <= position }
        return before.max { entries[$0].position < entries[$1].position }.map { use($0) }
    }

    /// Takes away what was used longest ago, until there is place for one more.
    ///
    /// - Returns: what was taken away; `nil` when all are in use.
    mutating func makePlace() -> [Projections]? {
        evict { $0.entries.count >= $0.configuration.modelsMax }
    }

    /// Takes everything off the shelf: nothing is handed out any more that was made so far, nor made from it.
    mutating func forget() {
        leaving += entries.map(\.projections)
        entries = []
        isStale = !orders.isEmpty
    }

    /// Takes off the shelf what was made over a base that turned out to be damaged.
    mutating func dropDamaged() {
        leaving += entries.map(\.projections).filter(\.standOnDamage)
        entries.removeAll(where: \.projections.standOnDamage)
    }

    /// Hands back what was forgotten and is not used any more, and whether that is all of it.
    mutating func takeForgotten() -> (taken: [Projections], isAll: Bool) {
        var taken: [Projections] = []
        for index in leaving.indices.reversed() where isKnownUniquelyReferenced(&leaving[index]) {
            taken.append(leaving.remove(at: index))
        }
        return (taken, leaving.isEmpty && !isStale)
    }

    /// Takes in what was made of the first order, or tells why not.
    ///
    /// - Parameter bytesMax: what all that is there may take.
    /// - Returns: who waits for it, and what was taken away to stay within the bytes; `nil` when it is to be made anew,
    ///   because everything that was made so far was to be forgotten meanwhile.
    mutating func finish(
        _ outcome: Outcome, sizeBytes: Int, bytesMax: Int
    ) -> (waiters: [Waiter], evicted: [Projections])? {
        precondition(!orders.isEmpty, "what is finished was ordered")
        if isStale {
            isStale = false
            if case .success(let projections) = outcome { leaving.append(projections) }
            return nil
        }
        let order = orders.removeFirst()
        guard case .success(let projections) = outcome else { return (order.waiters, []) }
        uses += 1
        entries.append(
            Entry(position: order.position, projections: projections, sizeBytes: sizeBytes, lastUse: uses))
        let evicted = evict { $0.entries.reduce(0) { $0 + $1.sizeBytes } > bytesMax }
        return (order.waiters, evicted ?? [])
    }

    /// Ends every wait: nothing more is made.
    mutating func close() -> [Waiter] {
        defer { orders = [] }
        return orders.flatMap(\.waiters)
    }

    private mutating func use(_ index: Int) -> Projections {
        uses += 1
        entries[index].lastUse = uses
        return entries[index].projections
    }

    /// Takes away what is not used, the longest unused first, while `isTooMuch`; `nil` when that was not enough.
    private mutating func evict(while isTooMuch: (PastShelf) -> Bool) -> [Projections]? {
        var evicted: [Projections] = []
        while isTooMuch(self) {
            // This shelf is the only way to it: without another reference now, it is not used.
            let unused = entries.indices.filter { isKnownUniquelyReferenced(&entries[$0].projections) }
            guard let oldest = unused.min(by: { entries[$0].lastUse < entries[$1].lastUse }) else {
                return evicted.isEmpty ? nil : evicted
            }
            evicted.append(entries.remove(at: oldest).projections)
        }
        return evicted
    }
}
