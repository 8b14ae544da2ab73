import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Shows how far long work has come: one line on standard error, written over, and only where a person sees it.
struct ProgressLine {
    private let what: String
    private let isTerminal = isatty(FileDescriptor.standardError.rawValue) == 1
    private var shownPercent: UInt64?

    init(_ what: String) { self.what = what }

    /// Shows the share of the work that is done, when it is another one than before.
    mutating func show(_ done: UInt64, of total: UInt64) {
        let percent = total == 0 ? 100 : min(100, UInt64(Double(done) / Double(total) * 100))
        guard isTerminal, percent != shownPercent else { return }
        shownPercent = percent
        write("\r\(what): \(percent) %")
    }

    /// Takes the line away, for what comes after it.
    mutating func clear() {
        guard shownPercent != nil else { return }
        shownPercent = nil
        // Erase in line (ECMA-48, EL).
        write("\r\u{1b}[2K")
    }

    /// A terminal that has gone away needs no progress, so a failed write is dropped.
    private func write(_ text: String) { _ = try? FileDescriptor.standardError.writeAll(text.utf8) }
}
