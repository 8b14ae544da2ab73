"""The system calls that neither an agent nor a build may make, with their numbers on x86-64 and arm64."""

import os

CLOSED = {
    "add_key": (248, 217), "bpf": (321, 280), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "keyctl": (250, 219), "perf_event_open": (298, 241), "request_key": (249, 218),
    "userfaultfd": (323, 282), "kcmp": (312, 272), "pidfd_getfd": (438, 438), "process_madvise": (440, 440),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "ptrace": (101, 117), "chroot": (161, 51),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount": (165, 40),
    "mount_setattr": (442, 442), "move_mount": (429, 429), "open_by_handle_at": (304, 265), "open_tree": (428, 428),
    "pivot_root": (155, 41), "setns": (308, 268), "umount2": (166, 39), "unshare": (272, 97), "acct": (163, 89),
    "clock_settime": (227, 112), "delete_module": (176, 106), "fanotify_init": (300, 262), "finit_module": (313, 273),
    "init_module": (175, 105), "kexec_file_load": (320, 294), "kexec_load": (246, 104), "quotactl": (179, 60),
    "reboot": (169, 142), "sethostname": (170, 161), "setdomainname": (171, 162), "settimeofday": (164, 170),
    "swapon": (167, 224), "swapoff": (168, 225), "syslog": (103, 116), "vhangup": (153, 58), "mbind": (237, 235),
    "migrate_pages": (256, 238), "move_pages": (279, 239), "set_mempolicy": (238, 237),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "msgget": (68, 186), "semget": (64, 190), "shmget": (29, 194),
}

# Prints one line a call, and one for those that do not exist inside.
PROBE = f"""
import ctypes, platform
libc = ctypes.CDLL(None, use_errno=True)
column = ["x86_64", "aarch64"].index(platform.machine())
def errno_of(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *(arguments or [ctypes.c_long(0)] * 6))
    return ctypes.get_errno() if result == -1 else 0
for name, numbers in {CLOSED!r}.items():
    print("CALL", name, errno_of(numbers[column]))
for number in (435, 457, 470, 600, 0x40000000, 0x40000027):
    print("NEWER", number, errno_of(number))
clone = (56, 220)[column]
for flag in (0x00020000, 0x02000000, 0x10000000, 0x20000000, 0x40000000):
    print("CLONE", hex(flag), errno_of(clone, ctypes.c_long(flag | 17), *[ctypes.c_long(0)] * 5))
for family in (38, 40):
    print("SOCKET", family, errno_of((41, 198)[column], *[ctypes.c_long(value) for value in (family, 5, 0, 0, 0, 0)]))
print("ADJ", open("/proc/self/oom_score_adj").read().strip())
try:
    open("/proc/self/oom_score_adj", "wb", buffering=0).write(b"0")
    print("LOWERED")
    open("/proc/self/oom_score_adj", "wb", buffering=0).write(b"1000")
except OSError as error:
    print("KEPT", error.errno)
"""

EPERM, ENOSYS = 1, 38


def check(report):
    """Holds what the probe printed against what it has to print."""
    lines = [line.split()[-3:] for line in report.splitlines()]
    calls = {line[1]: int(line[2]) for line in lines if len(line) == 3 and line[0] == "CALL"}
    assert calls == dict.fromkeys(CLOSED, EPERM), report
    newer = [int(line[2]) for line in lines if len(line) == 3 and line[0] == "NEWER"]
    assert newer == [ENOSYS] * 6, report
    clones = [int(line[2]) for line in lines if len(line) == 3 and line[0] == "CLONE"]
    assert clones == [EPERM] * 5, report
    sockets = [int(line[2]) for line in lines if len(line) == 3 and line[0] == "SOCKET"]
    assert sockets == [EPERM] * 2, report
    assert "ADJ 1000" in report, report
    if score_is_final():
        assert "KEPT" in report and "LOWERED" not in report, report


def score_is_final():
    """A root without CAP_SYS_RESOURCE, such as a container's, cannot keep a process from lowering its score again."""
    capabilities = next(line for line in open("/proc/self/status") if line.startswith("CapEff"))
    return os.geteuid() != 0 or bool(int(capabilities.split()[1], 16) >> 24 & 1)
