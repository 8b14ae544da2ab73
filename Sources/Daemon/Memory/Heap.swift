import CMalloc

#if canImport(Glibc)
    import Glibc
#endif

/// The memory of the process. Its calls block their thread, and allocations of other threads in one arena at a time.
package enum Heap {
    /// The figures of now; `nil` where the C library or the system does not tell them.
    package static var usage: HeapUsage? {
        let used = UInt64(CMalloc_used_bytes())
        guard used > 0, let resident = residentBytes else { return nil }
        return HeapUsage(residentBytes: resident, usedBytes: used)
    }

    /// Gives free pages back to the system.
    package static func trim() { CMalloc_trim() }

    /// The resident memory of the process that no file backs.
    private static var residentBytes: UInt64? {
        #if canImport(Glibc)
            let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { return nil }
            defer { close(file) }
            var bytes = [UInt8](repeating: 0, count: 256)
            let count = read(file, &bytes, bytes.count)
            guard count > 0 else { return nil }
            // proc(5): pages in all, resident ones, and those of the resident ones that a file backs.
            let fields = bytes.prefix(count).split(separator: UInt8(ascii: " ")).prefix(3)
                .compactMap { UInt64(String(decoding: $0, as: UTF8.self)) }
            guard fields.count == 3, fields[1] >= fields[2] else { return nil }
            return (fields[1] - fields[2]) * UInt64(sysconf(CInt(_SC_PAGESIZE)))
        #else
            return nil
        #endif
    }
}

/// Figures of the heap at one moment.
package struct HeapUsage: Hashable, Sendable {
    /// Resident memory that no file backs.
    package let residentBytes: UInt64
    /// Bytes that are allocated.
    package let usedBytes: UInt64

    package init(residentBytes: UInt64, usedBytes: UInt64) {
        self.residentBytes = residentBytes
        self.usedBytes = usedBytes
    }

    /// Resident memory beyond what is allocated: free memory that was not given back, fragments, stacks and the program's
    /// own data.
    var unusedBytes: UInt64 { residentBytes - min(residentBytes, usedBytes) }
}
