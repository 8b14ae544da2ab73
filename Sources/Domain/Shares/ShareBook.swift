/// The amounts of one shared resource that its holders have. Holders without any are forgotten.
package struct ShareBook<Holder: Hashable & Sendable>: Hashable, Sendable {
    /// The amount that all holders have.
    package private(set) var taken = 0
    private var held: [Holder: Int] = [:]

    package init() {}

    package func held(by holder: Holder) -> Int { held[holder, default: 0] }

    /// Decides about taking an amount; `nil` when it may be taken.
    package func refusal(of amount: Int, for holder: Holder, _ rule: ShareRule) -> ShareRefusal? {
        rule.refusal(of: amount, held: held(by: holder), taken: taken)
    }

    package mutating func take(_ amount: Int, for holder: Holder) {
        guard amount != 0 else { return }
        taken += amount
        held[holder, default: 0] += amount
    }

    package mutating func release(_ amount: Int, of holder: Holder) {
        guard amount != 0 else { return }
        guard let index = held.index(forKey: holder), held.values[index] >= amount else {
            preconditionFailure("a holder releases at most what it has")
        }
        taken -= amount
        held.values[index] -= amount
        if held.values[index] == 0 { held.remove(at: index) }
    }
}
