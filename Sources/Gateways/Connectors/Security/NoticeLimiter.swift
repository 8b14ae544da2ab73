package import Domain

/// Lets one notice of the same thing through in a while, and counts the others. Pure: the time comes in.
package struct NoticeLimiter: Sendable {
    package static let window = Duration.seconds(60)
    /// When there are more things than this, what was said of them is forgotten: they are told of once more.
    package static let thingsMax = 10_000

    private struct Thing {
        var told: Timestamp
        var suppressed: UInt64 = 0
    }

    private var things: [String: Thing] = [:]

    package init() {}

    /// - Returns: how many were held back since the last one; `nil` when this one is held back too.
    package mutating func pass(_ key: String, at time: Timestamp) -> UInt64? {
        if let thing = things[key], time.since(thing.told) < Self.window, time >= thing.told {
            things[key]?.suppressed += 1
            return nil
        }
        let suppressed = things[key]?.suppressed ?? 0
        if things.count >= Self.thingsMax, things[key] == nil { things.removeAll() }
        things[key] = Thing(told: time)
        return suppressed
    }
}
