"""Reads an agent's sources and says what is in them. Nothing of them is imported or run.

The files of this folder are one program, put together in the order of `AnalyzerProgram`: each may use what those before
it define. It reads {"files": {path: text}} from its standard input and writes one JSON object.
"""

import ast
import bisect
import json
import math
import re
import resource
import sys

FINDINGS_MAX = 500
TEXT_MAX = 4000


def limit_self():
    """For where no sandbox stands around it: no files, no processes, and little of anything else."""
    for kind, most in [
        ("RLIMIT_AS", 1 << 30),
        ("RLIMIT_CPU", 30),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_NPROC", 0),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_NOFILE", 16),
    ]:
        try:
            hard = resource.getrlimit(getattr(resource, kind))[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(getattr(resource, kind), (most, most))
        except (AttributeError, ValueError, OSError):
            # This system has no such limit.
            continue


limit_self()
