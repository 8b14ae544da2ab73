/// Decides when free memory is given back.
///
/// The C library counts pages that it gave back as free ones, so its free bytes do not say what a trim yields. Resident
/// memory beyond what is allocated does: a trim leaves the part that cannot be given back, and the growth since then can.
package struct TrimRule: Hashable, Sendable {
    /// The number of bytes that are worth a trim.
    package static let bytesMin: UInt64 = 8 << 20

    /// Unused bytes that the last trim left, or the fewest since; 0 before the first.
    private var unusedBytesMin: UInt64 = 0

    package init() {}

    /// True when a trim may give back `bytesMin` or more.
    package mutating func isDue(_ usage: HeapUsage) -> Bool {
        unusedBytesMin = min(unusedBytesMin, usage.unusedBytes)
        return usage.unusedBytes - unusedBytesMin >= Self.bytesMin
    }

    /// Notes the figures after a trim.
    package mutating func noteTrim(_ usage: HeapUsage) { unusedBytesMin = usage.unusedBytes }
}
