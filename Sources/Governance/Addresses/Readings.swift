/// The ways in which a server may read a path.
enum PathWay: Hashable, Sendable {
    /// Percent-decoded so many times.
    case decoded(Int)
    /// Decoded so many times, with the parameters of segments (`..;x`) taken for a part of their names.
    case withParameters(Int)
    /// Decoded so many times, and ended at the question mark that this brought to light.
    case beforeQuestionMark(Int)
    /// Without the two slashes at its beginning and the host that may follow such.
    case afterHost
}

/// The values of a path by the ways in which servers may read it.
///
/// Two paths are compared way by way: a server reads both in the same way.
struct Readings<Value: Hashable & Sendable>: Hashable, Sendable {
    struct Reading: Hashable, Sendable {
        let way: PathWay
        let value: Value
    }

    /// In the order in which they were added; the path as it stands is the first.
    private(set) var all: [Reading] = []

    init() {}

    /// A path that is read in one way alone.
    init(_ value: Value) { all = [Reading(way: .decoded(0), value: value)] }

    mutating func add(_ value: Value, _ way: PathWay) { all.append(Reading(way: way, value: value)) }

    /// The value by a way of another path, which is the nearest one where this path has it not.
    func value(by way: PathWay) -> Value? {
        if let reading = all.first(where: { $0.way == way }) { return reading.value }
        switch way {
        case .decoded(let count): return count > 0 ? value(by: .decoded(count - 1)) : nil
        case .beforeQuestionMark(let count):
            // Decoding ends where it changes nothing: further ones find the same question mark.
            let isLast = !all.contains { $0.way == .decoded(count) }
            return isLast && count > 0 ? value(by: .beforeQuestionMark(count - 1)) : value(by: .decoded(count))
        case .withParameters(let count): return value(by: .decoded(count))
        case .afterHost: return value(by: .decoded(0))
        }
    }

    func compactMap<Mapped>(_ transform: (Value) -> Mapped?) -> Readings<Mapped> {
        var mapped = Readings<Mapped>()
        for reading in all {
            if let value = transform(reading.value) { mapped.add(value, reading.way) }
        }
        return mapped
    }

    /// True when the two values agree by every way of either path.
    func agree<Other>(with other: Readings<Other>, _ agree: (Value, Other) -> Bool) -> Bool {
        func agrees(by way: PathWay) -> Bool {
            guard let mine = value(by: way), let theirs = other.value(by: way) else { return false }
            return agree(mine, theirs)
        }
        return all.allSatisfy { agrees(by: $0.way) } && other.all.allSatisfy { agrees(by: $0.way) }
    }

    /// True when some value agrees with some of the other path, by whatever ways.
    func mayAgree<Other>(with other: Readings<Other>, _ agree: (Value, Other) -> Bool) -> Bool {
        all.contains { mine in other.all.contains { agree(mine.value, $0.value) } }
    }
}
