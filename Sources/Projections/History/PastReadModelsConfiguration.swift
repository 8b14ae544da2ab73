/// Every bound of the read models of past positions.
package struct PastReadModelsConfiguration: Hashable, Sendable {
    /// How many are kept, those in use included.
    package var modelsMax = 8
    /// What all of them may take on the disk, and so what one may take.
    package var bytesMax = 2 * 1024 * 1024 * 1024
    /// How many positions may wait to be made.
    package var ordersMax = 16
    /// How many may wait for them.
    package var waitersMax = 256
    /// How long a reader waits for one; it goes on being made after that.
    package var waitMax: Duration = .seconds(20)

    package init() {}
}
