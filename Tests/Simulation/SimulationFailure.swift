/// A promise that did not hold in a simulated world.
package struct SimulationFailure: Error, CustomStringConvertible {
    /// The invariant of the design, by its number.
    package let invariant: Int
    package let description: String

    init(_ invariant: Int, _ what: String) {
        self.invariant = invariant
        description = "invariant \(invariant): \(what)"
    }
}

/// Says that something holds, or what it means that it does not.
func check(_ isSo: Bool, _ invariant: Int, _ what: @autoclosure () -> String) throws(SimulationFailure) {
    guard isSo else { throw SimulationFailure(invariant, what()) }
}
