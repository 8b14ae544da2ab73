#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What an agent writes to its standard output and error: the newest of it, in two files that take turns.
///
/// Each byte has an offset that only grows, so that a reader can go on where it was, after a restart too. Secrets are
/// redacted before anything is written.
package actor AgentOutput {
    package struct Page: Hashable, Sendable {
        package let text: String
        /// What to ask for next.
        package let next: UInt64
    }

    package static let lineBytesMax = 8192
    /// Shorter secrets are not redacted: they would hide words that are none.
    static let secretBytesMin = 6
    private static let suffix = ".log"
    /// Bytes after the longest line in which a secret may end: a character is spelled with up to 16.
    private static let overhangBytesMax = 2048
    /// The lengths of a line of wrapped base64 or hexadecimal digits, which may continue on the next.
    private static let wrappedDigits = 48...128
    private static let wrappedBytesMax = 65_536

    private let directory: String
    private let fileBytesMax: UInt64
    private let executor = BlockingExecutor(label: "sluice.agent-output")
    private var descriptor: Int32 = -1
    private var fileStart: UInt64 = 0
    private var end: UInt64 = 0
    private var line: [UInt8] = []
    /// Lines of encoded text that are not written yet.
    private var wrapped: [UInt8] = []
    private var waiters: [Promise<Void>] = []
    private var isRemoved = false

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    package init(directory: String, fileBytesMax: Int) {
        self.directory = directory
        self.fileBytesMax = UInt64(fileBytesMax)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Adds what came; whole lines are written at once, those of wrapped encoded text with the line that ends it.
    package func append(_ bytes: [UInt8], redacting: AgentCatalog.Redaction) {
        var lines: [UInt8] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                lines += endLine(redacting)
            } else if line.count < Self.lineBytesMax + Self.overhangBytesMax {
                line.append(byte)
            }
        }
        write(lines)
    }

    /// Writes what has no end yet, at the end of a process.
    package func finishLine(redacting: AgentCatalog.Redaction) {
        guard !line.isEmpty || !wrapped.isEmpty else { return }
        write(release(redacting))
    }

    private func endLine(_ redacting: AgentCatalog.Redaction) -> [UInt8] {
        guard Self.wrappedDigits.contains(line.count), wrapped.count < Self.wrappedBytesMax,
            line.allSatisfy(Self.isDigit)
        else { return release(redacting) }
        wrapped += line + [UInt8(ascii: "\n")]
        line = []
        return []
    }

    /// The redacted lines; a line is cut afterwards, so that no part of a secret stays at its end.
    private func release(_ redacting: AgentCatalog.Redaction) -> [UInt8] {
        let lines =
            wrapped.isEmpty
            ? redacting(line).prefix(Self.lineBytesMax) + [UInt8(ascii: "\n")]
            : redacting(wrapped + line) + (line.isEmpty ? [] : [UInt8(ascii: "\n")])
        (wrapped, line) = ([], [])
        return Array(lines)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "-"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// What is kept from an offset on, in whole lines.
    package func read(after offset: UInt64, bytesMax: Int) -> Page {
        open()
        var text: [UInt8] = []
        var next = offset
        for start in starts() {
            guard let bytes = BundleFiles.tail(of: path(start), bytesMax: Int(fileBytesMax) + Self.lineBytesMax * 8)
            else { continue }
            let from = max(next, start)
            guard start + UInt64(bytes.count) > from else { continue }
            let part = bytes[Int(from - start)...].prefix(max(0, bytesMax - text.count))
            guard let last = part.lastIndex(of: UInt8(ascii: "\n")) else { break }
            text += part[...last]
            next = start + UInt64(last) + 1
        }
        return Page(text: String(decoding: text, as: UTF8.self), next: min(next, end))
    }

    /// The offset where the last lines begin, as far as they are kept; the end of the output for none.
    package func offset(ofLast lines: UInt64) -> UInt64 {
        open()
        var linesLeft = lines
        let starts = starts()
        for start in starts.reversed() {
            let bytes = BundleFiles.tail(of: path(start), bytesMax: Int(fileBytesMax) + Self.lineBytesMax * 8) ?? []
            for index in bytes.indices.reversed() where bytes[index] == UInt8(ascii: "\n") {
                if linesLeft == 0 { return start + UInt64(index) + 1 }
                linesLeft -= 1
            }
        }
        return starts.first ?? 0
    }

    /// As `read`, waiting for the next line when there is none yet. Empty when the task is cancelled or all is deleted.
    package func follow(after offset: UInt64, bytesMax: Int) async -> Page {
        while !Task.isCancelled {
            let page = read(after: offset, bytesMax: bytesMax)
            if !page.text.isEmpty || isRemoved { return page }
            let promise = Promise<Void>()
            waiters.append(promise)
            _ = await promise.value()
            waiters.removeAll { $0 === promise }
        }
        return Page(text: "", next: offset)
    }

    /// The last lines, for a message.
    func lastLines(bytesMax: Int) -> String {
        open()
        let newest = starts().last.flatMap { BundleFiles.tail(of: path($0), bytesMax: bytesMax) } ?? []
        return String(decoding: newest, as: UTF8.self)
    }

    /// Deletes all that is kept, when the agent is deleted; what its process still writes is lost.
    package func remove() {
        isRemoved = true
        defer { wakeWaiters() }
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
        DirectoryTree.remove(directory)
    }

    private func write(_ lines: [UInt8]) {
        guard !lines.isEmpty, !isRemoved else { return }
        open()
        if end - fileStart >= fileBytesMax { turn() }
        // One line is never parted, so a file may be larger than its limit by what came at once.
        let count = lines.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        end += UInt64(max(0, count))
        wakeWaiters()
    }

    private func wakeWaiters() {
        for waiter in waiters { waiter.fulfill(()) }
        waiters = []
    }

    private func open() {
        guard descriptor < 0, !isRemoved else { return }
        mkdir(directory, 0o700)
        fileStart = starts().last ?? 0
        openFile()
        end = fileStart + UInt64(max(0, lseek(descriptor, 0, SEEK_END)))
    }

    private func turn() {
        close(descriptor)
        for old in starts().dropLast() { unlink(path(old)) }
        fileStart = end
        openFile()
    }

    private func openFile() {
        descriptor = Glibc.open(path(fileStart), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
    }

    private func path(_ start: UInt64) -> String { directory + "/\(start)" + Self.suffix }

    private func starts() -> [UInt64] {
        BundleFiles.names(in: directory).compactMap { name in
            name.hasSuffix(Self.suffix) ? UInt64(name.dropLast(Self.suffix.count)) : nil
        }.sorted()
    }
}
