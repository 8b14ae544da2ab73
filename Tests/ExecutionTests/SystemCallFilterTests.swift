import Execution
import Testing

@Suite struct SystemCallFilterTests {
    /// Runs the filter as the kernel does, over one call.
    private func outcome(
        of number: UInt32, _ argument: UInt32 = 0, on architecture: SystemCallFilter.Architecture,
        as auditNumber: UInt32? = nil
    ) throws -> SystemCallFilter.Outcome {
        let audit: [SystemCallFilter.Architecture: UInt32] = [.x86_64: 0xC000_003E, .aarch64: 0xC000_00B7]
        let program = SystemCallFilter(architecture).instructions
        var (accumulator, next) = (UInt32(0), 0)
        while true {
            let instruction = try #require(program.indices.contains(next) ? program[next] : nil)
            next += 1
            let isTrue: Bool
            switch (instruction.code, instruction.operand) {
            case (0x20, 0): (accumulator, isTrue) = (number, false)
            case (0x20, 4): (accumulator, isTrue) = (try #require(auditNumber ?? audit[architecture]), false)
            case (0x20, 16): (accumulator, isTrue) = (argument, false)
            case (0x15, let operand): isTrue = accumulator == operand
            case (0x25, let operand): isTrue = accumulator > operand
            case (0x45, let operand): isTrue = accumulator & operand != 0
            case (0x06, let operand): return try #require(SystemCallFilter.Outcome(rawValue: operand))
            default: throw Unknown()
            }
            if instruction.code & 0x07 == 0x05 {
                next += Int(isTrue ? instruction.skippedIfTrue : instruction.skippedIfFalse)
            }
        }
    }

    private struct Unknown: Error {}

    @Test(arguments: SystemCallFilter.Architecture.allCases)
    func refusesEveryClosedCall(architecture: SystemCallFilter.Architecture) throws {
        for call in SystemCallTable.closed {
            guard let number = call.number(on: architecture) else { continue }
            #expect(try outcome(of: number, on: architecture) == .refused)
        }
    }

    /// `read`, `write`, `mmap`, `futex`, `execve`, `openat`, `fsync`, `epoll_ctl`, `wait4`, `prctl`.
    @Test(
        arguments: [
            (SystemCallFilter.Architecture.x86_64, [0, 1, 9, 202, 59, 257, 74, 233, 61, 157]),
            (.aarch64, [63, 64, 222, 98, 221, 56, 82, 21, 260, 167]),
        ] as [(SystemCallFilter.Architecture, [UInt32])])
    func allowsOrdinaryCalls(architecture: SystemCallFilter.Architecture, numbers: [UInt32]) throws {
        for number in numbers { #expect(try outcome(of: number, on: architecture) == .allowed) }
    }

    @Test(arguments: SystemCallFilter.Architecture.allCases)
    func knowsNoCallThatIsNewerThanTheTable(architecture: SystemCallFilter.Architecture) throws {
        #expect(try outcome(of: 435, on: architecture) == .absent)
        #expect(try outcome(of: SystemCallTable.lastKnown, on: architecture) == .allowed)
        for number in [SystemCallTable.lastKnown + 1, 0x4000_0000, 0x4000_0001, .max] {
            #expect(try outcome(of: number, on: architecture) == .absent)
        }
    }

    @Test(arguments: [(SystemCallFilter.Architecture.x86_64, UInt32(56)), (.aarch64, 220)])
    func startsThreadsAndProcessesButNoNamespaces(
        architecture: SystemCallFilter.Architecture, clone: UInt32
    ) throws {
        for flags: UInt32 in [0x11, 0x3D_0F00, 0x120_0011] {
            #expect(try outcome(of: clone, flags, on: architecture) == .allowed)
        }
        for bit in [0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000] as [UInt32] {
            #expect(try outcome(of: clone, 0x11 | bit, on: architecture) == .refused)
        }
    }

    @Test(arguments: [
        (SystemCallFilter.Architecture.x86_64, UInt32(41), UInt32(135)), (.aarch64, 198, 92),
    ])
    func judgesSocketsAndPersonalitiesByTheirArgument(
        architecture: SystemCallFilter.Architecture, socket: UInt32, personality: UInt32
    ) throws {
        for family: UInt32 in [1, 2, 10, 16] {
            #expect(try outcome(of: socket, family, on: architecture) == .allowed)
        }
        for family: UInt32 in [38, 40] { #expect(try outcome(of: socket, family, on: architecture) == .refused) }
        #expect(try outcome(of: personality, 0xFFFF_FFFF, on: architecture) == .allowed)
        #expect(try outcome(of: personality, 0x004_0000, on: architecture) == .refused)
    }

    @Test(arguments: SystemCallFilter.Architecture.allCases)
    func refusesCallsOfAnotherArchitecture(architecture: SystemCallFilter.Architecture) throws {
        #expect(try outcome(of: 1, on: architecture, as: 0x4000_0003) == .refused)
    }

    @Test func isShortEnoughForTheKernel() {
        for architecture in SystemCallFilter.Architecture.allCases {
            let filter = SystemCallFilter(architecture)
            #expect(filter.instructions.count < 4096)
            #expect(filter.bytes.count == 8 * filter.instructions.count)
        }
    }
}
