/// The numbers of system calls, as far as the filter has to know them.
package enum SystemCallTable {
    /// A call and its numbers; `nil` where an architecture has none.
    package struct Call: Hashable, Sendable {
        package let name: String
        let x86_64: UInt32?
        let aarch64: UInt32?

        fileprivate init(_ name: String, _ x86_64: UInt32?, _ aarch64: UInt32?) {
            self.name = name
            self.x86_64 = x86_64
            self.aarch64 = aarch64
        }

        /// The number of the call on that architecture.
        package func number(on architecture: SystemCallFilter.Architecture) -> UInt32? {
            switch architecture {
            case .x86_64: x86_64
            case .aarch64: aarch64
            }
        }
    }

    /// The newest call that was looked at, `futex_requeue` of Linux 6.7. The same on all architectures from 424 on.
    package static let lastKnown: UInt32 = 456
    static let clone3: UInt32 = 435

    static func clone(on architecture: SystemCallFilter.Architecture) -> UInt32 {
        architecture == .x86_64 ? 56 : 220
    }

    static func socket(on architecture: SystemCallFilter.Architecture) -> UInt32 {
        architecture == .x86_64 ? 41 : 198
    }

    static func personality(on architecture: SystemCallFilter.Architecture) -> UInt32 {
        architecture == .x86_64 ? 135 : 92
    }

    /// The numbers of the calls that fail.
    package static func refused(on architecture: SystemCallFilter.Architecture) -> [UInt32] {
        closed.compactMap { $0.number(on: architecture) }.sorted()
    }

    /// The calls that fail, with their numbers on x86-64 and arm64.
    package static let closed: [Call] = [
        // Ways into the kernel that have been holes again and again, and that no agent needs.
        Call("add_key", 248, 217),
        Call("bpf", 321, 280),
        Call("io_uring_enter", 426, 426),
        Call("io_uring_register", 427, 427),
        Call("io_uring_setup", 425, 425),
        Call("keyctl", 250, 219),
        Call("perf_event_open", 298, 241),
        Call("request_key", 249, 218),
        Call("userfaultfd", 323, 282),
        // Other processes' memory, descriptors and registers.
        Call("kcmp", 312, 272),
        Call("pidfd_getfd", 438, 438),
        Call("process_madvise", 440, 440),
        Call("process_vm_readv", 310, 270),
        Call("process_vm_writev", 311, 271),
        Call("ptrace", 101, 117),
        // Namespaces, mounts and roots; files by handle, past every path.
        Call("chroot", 161, 51),
        Call("fsconfig", 431, 431),
        Call("fsmount", 432, 432),
        Call("fsopen", 430, 430),
        Call("fspick", 433, 433),
        Call("mount", 165, 40),
        Call("mount_setattr", 442, 442),
        Call("move_mount", 429, 429),
        Call("open_by_handle_at", 304, 265),
        Call("open_tree", 428, 428),
        Call("pivot_root", 155, 41),
        Call("setns", 308, 268),
        Call("umount2", 166, 39),
        Call("unshare", 272, 97),
        // Memory that belongs to no address space and no directory, so that no limit but a control group's counts it.
        Call("memfd_create", 319, 279),
        Call("memfd_secret", 447, 447),
        Call("msgget", 68, 186),
        Call("semget", 64, 190),
        Call("shmget", 29, 194),
        // The machine: its kernel, clock, name, disks, terminals, log and ports.
        Call("acct", 163, 89),
        Call("clock_settime", 227, 112),
        Call("delete_module", 176, 106),
        Call("fanotify_init", 300, 262),
        Call("finit_module", 313, 273),
        Call("init_module", 175, 105),
        Call("ioperm", 173, nil),
        Call("iopl", 172, nil),
        Call("kexec_file_load", 320, 294),
        Call("kexec_load", 246, 104),
        Call("lookup_dcookie", 212, 18),
        Call("quotactl", 179, 60),
        Call("quotactl_fd", 443, 443),
        Call("reboot", 169, 142),
        Call("setdomainname", 171, 162),
        Call("sethostname", 170, 161),
        Call("settimeofday", 164, 170),
        Call("swapoff", 168, 225),
        Call("swapon", 167, 224),
        Call("syslog", 103, 116),
        Call("vhangup", 153, 58),
        // Where memory is placed on a machine of several nodes.
        Call("get_mempolicy", 239, 236),
        Call("mbind", 237, 235),
        Call("migrate_pages", 256, 238),
        Call("move_pages", 279, 239),
        Call("set_mempolicy", 238, 237),
        Call("set_mempolicy_home_node", 450, 450),
        // Remains of old kernels.
        Call("_sysctl", 156, nil),
        Call("afs_syscall", 183, nil),
        Call("create_module", 174, nil),
        Call("get_kernel_syms", 177, nil),
        Call("getpmsg", 181, nil),
        Call("nfsservctl", 180, 42),
        Call("putpmsg", 182, nil),
        Call("query_module", 178, nil),
        Call("security", 185, nil),
        Call("sysfs", 139, nil),
        Call("tuxcall", 184, nil),
        Call("uselib", 134, nil),
        Call("ustat", 136, nil),
        Call("vserver", 236, nil),
    ]
}
