/// Elements of many holders; the next one is the oldest of the holder with the most. Every operation takes constant
/// time.
///
/// A holder with few elements keeps them while another has more, however many that one adds.
struct FairQueue<Holder: Hashable & Sendable, Element: Hashable & Sendable>: Sendable {
    private var queues: [Holder: LinkedQueue<Element>] = [:]
    /// The holders by the number of their elements, which is the index.
    private var holders = [LinkedQueue<Holder>()]
    private var countMax = 0

    /// The oldest element of the holder with the most.
    var next: Element? { holders[countMax].first.flatMap { queues[$0]?.first } }

    func oldest(of holder: Holder) -> Element? { queues[holder]?.first }

    mutating func append(_ element: Element, of holder: Holder) {
        let count = queues[holder]?.count ?? 0
        queues[holder, default: LinkedQueue()].append(element)
        move(holder, from: count)
    }

    mutating func remove(_ element: Element, of holder: Holder) {
        guard let count = queues[holder]?.count else { return }
        queues[holder]?.remove(element)
        move(holder, from: count)
    }

    private mutating func move(_ holder: Holder, from before: Int) {
        let count = queues[holder]?.count ?? 0
        guard count != before else { return }
        holders[before].remove(holder)
        if count == holders.count { holders.append(LinkedQueue()) }
        if count > 0 { holders[count].append(holder) } else { queues[holder] = nil }
        // The number has changed by one.
        countMax = max(countMax, count)
        if countMax > 0, holders[countMax].count == 0 { countMax -= 1 }
    }
}
