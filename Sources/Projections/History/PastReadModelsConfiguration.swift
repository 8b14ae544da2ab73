/// Every bound of the read models of past positions.
package struct PastReadModelsConfiguration: Hashable, Sendable {
    /// How many are kept, those in use included.
    package var modelsMax = 8
    /// Maximum bytes of all of them and the bases on the disk.
    package var bytesMax = 8 * 1024 * 1024 * 1024
    /// The most events from one base to the next in the recent past.
    package var interval: UInt64 = 32_768
    /// Maximum number of bases, each of which takes a file descriptor; with 0 none is made.
    package var basesMax = 512
    /// The length of the recent past.
    package var recent: Duration = .seconds(7 * 24 * 3600)
    /// The pause when there is nothing to do.
    package var pause: Duration = .seconds(1)
    /// The pause after a base could not be made, for want of space perhaps.
    package var pauseAfterFailure: Duration = .seconds(30)
    /// How many positions may wait to be made.
    package var ordersMax = 16
    /// How many may wait for them.
    package var waitersMax = 256
    /// How long a reader waits for one; it goes on being made after that.
    package var waitMax: Duration = .seconds(20)

    /// The share of the bases; the rest is for what is made over them.
    var basesBytesMax: Int { bytesMax / 4 * 3 }

    package init() {}
}
