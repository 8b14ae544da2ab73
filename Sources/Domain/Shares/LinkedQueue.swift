/// Elements in order of arrival, of which any can be removed; every operation takes constant time.
struct LinkedQueue<Element: Hashable & Sendable>: Sendable {
    private struct Links {
        var previous: Element?
        var next: Element?
    }

    private var links: [Element: Links] = [:]
    /// The element that arrived first.
    private(set) var first: Element?
    private var last: Element?

    var count: Int { links.count }

    /// Adds an element that is not in the queue.
    mutating func append(_ element: Element) {
        precondition(links[element] == nil, "an element is in a queue once")
        links[element] = Links(previous: last)
        if let last { links[last]?.next = element } else { first = element }
        last = element
    }

    /// Removes an element; one that is not in the queue changes nothing.
    mutating func remove(_ element: Element) {
        guard let removed = links.removeValue(forKey: element) else { return }
        if let previous = removed.previous { links[previous]?.next = removed.next } else { first = removed.next }
        if let next = removed.next { links[next]?.previous = removed.previous } else { last = removed.previous }
    }
}
