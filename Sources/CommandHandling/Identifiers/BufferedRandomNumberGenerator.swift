#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The system's random numbers, 32 with each call to it (getentropy): every request needs some.
package struct BufferedRandomNumberGenerator: RandomNumberGenerator, Sendable {
    private static let count = 32

    private var numbers: [UInt64] = []

    package init() {}

    package mutating func next() -> UInt64 {
        if let number = numbers.popLast() { return number }
        numbers = [UInt64](unsafeUninitializedCapacity: Self.count) { buffer, count in
            let isFilled = getentropy(buffer.baseAddress, Self.count * MemoryLayout<UInt64>.size) == 0
            count = isFilled ? Self.count : 0
        }
        // A kernel without getentropy has another way.
        var system = SystemRandomNumberGenerator()
        return numbers.popLast() ?? system.next()
    }
}
