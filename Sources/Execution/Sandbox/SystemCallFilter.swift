/// The seccomp filter of agents and builds, as a BPF program for the kernel. Pure.
///
/// Closed to a process without privileges is what docker's default profile closes, and what that profile opens to
/// debuggers and asynchronous I/O beside it: a sandboxed program has no use for either, and both have been ways to the
/// kernel. Calls newer than `lastKnown` do not exist for it, so a kernel's next release opens nothing.
package struct SystemCallFilter: Hashable, Sendable {
    /// A processor architecture, by the name that `uname` gives it.
    package enum Architecture: String, Hashable, Sendable, CaseIterable {
        case x86_64, aarch64

        /// `AUDIT_ARCH_…`.
        var auditNumber: UInt32 {
            switch self {
            case .x86_64: 0xC000_003E
            case .aarch64: 0xC000_00B7
            }
        }
    }

    /// A result of the filter (`SECCOMP_RET_…`).
    package enum Outcome: UInt32, Hashable, Sendable {
        case allowed = 0x7FFF_0000
        /// Fails with `EPERM`.
        case refused = 0x0005_0001
        /// Fails with `ENOSYS`, as on a kernel that has no such call: callers use an older one then.
        case absent = 0x0005_0026
    }

    /// One instruction, `struct sock_filter`.
    package struct Instruction: Hashable, Sendable {
        package let code: UInt16
        package let skippedIfTrue: UInt8
        package let skippedIfFalse: UInt8
        package let operand: UInt32
    }

    private static let loadWord: UInt16 = 0x20
    private static let isEqual: UInt16 = 0x15
    private static let isGreater: UInt16 = 0x25
    private static let hasBits: UInt16 = 0x45
    private static let numberOffset: UInt32 = 0
    private static let architectureOffset: UInt32 = 4
    private static let firstArgumentOffset: UInt32 = 16

    /// `CLONE_NEWNS` to `CLONE_NEWNET`, `CLONE_NEWTIME` excepted: its bit is a signal number here.
    private static let newNamespaces: UInt32 = 0x7E02_0000
    /// `AF_ALG` and `AF_VSOCK`: ciphers of the kernel, and the host of a virtual machine.
    private static let closedFamilies: [UInt32] = [38, 40]
    /// `PER_LINUX`, `PER_LINUX32`, both with `UNAME26`, and the question for the current one.
    private static let openPersonalities: [UInt32] = [0, 8, 0x2_0000, 0x2_0008, 0xFFFF_FFFF]

    package let architecture: Architecture

    package init(_ architecture: Architecture) { self.architecture = architecture }

    package var instructions: [Instruction] {
        var program = [
            Instruction(Self.loadWord, Self.architectureOffset),
            Instruction(Self.isEqual, architecture.auditNumber, skippedIfTrue: 1),
            Instruction(.refused),
            Instruction(Self.loadWord, Self.numberOffset),
            // The x32 calls, which have bit 30 set, are among these.
            Instruction(Self.isGreater, SystemCallTable.lastKnown, skippedIfFalse: 1),
            Instruction(.absent),
        ]
        for number in SystemCallTable.refused(on: architecture) {
            program += [Instruction(Self.isEqual, number, skippedIfFalse: 1), Instruction(.refused)]
        }
        // Its flags are in memory, where a filter cannot look.
        program += [
            Instruction(Self.isEqual, SystemCallTable.clone3, skippedIfFalse: 1), Instruction(.absent),
        ]
        program += [
            Instruction(Self.isEqual, SystemCallTable.clone(on: architecture), skippedIfFalse: 4),
            Instruction(Self.loadWord, Self.firstArgumentOffset),
            Instruction(Self.hasBits, Self.newNamespaces, skippedIfFalse: 1),
            Instruction(.refused), Instruction(.allowed),
        ]
        program += rule(for: SystemCallTable.socket(on: architecture), Self.closedFamilies, .refused, else: .allowed)
        program += rule(
            for: SystemCallTable.personality(on: architecture), Self.openPersonalities, .allowed, else: .refused)
        return program + [Instruction(.allowed)]
    }

    /// The program as the kernel takes it, in the byte order of both architectures.
    package var bytes: [UInt8] {
        instructions.flatMap { instruction in
            withUnsafeBytes(of: instruction.code.littleEndian, Array.init)
                + [instruction.skippedIfTrue, instruction.skippedIfFalse]
                + withUnsafeBytes(of: instruction.operand.littleEndian, Array.init)
        }
    }

    /// Instructions that decide on one call by its first argument.
    private func rule(
        for number: UInt32, _ values: [UInt32], _ outcome: Outcome, else other: Outcome
    ) -> [Instruction] {
        let decisions = values.flatMap {
            [Instruction(Self.isEqual, $0, skippedIfFalse: 1), Instruction(outcome)]
        }
        let body = [Instruction(Self.loadWord, Self.firstArgumentOffset)] + decisions + [Instruction(other)]
        return [Instruction(Self.isEqual, number, skippedIfFalse: UInt8(body.count))] + body
    }
}

extension SystemCallFilter.Instruction {
    fileprivate init(_ code: UInt16, _ operand: UInt32, skippedIfTrue: UInt8 = 0, skippedIfFalse: UInt8 = 0) {
        self.code = code
        self.operand = operand
        self.skippedIfTrue = skippedIfTrue
        self.skippedIfFalse = skippedIfFalse
    }

    fileprivate init(_ outcome: SystemCallFilter.Outcome) { self.init(0x06, outcome.rawValue) }
}
