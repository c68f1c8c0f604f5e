"""How much memory this process may use: of the machine, or of the control groups (cgroups) that limit it.

A service, a container or a batch job is a group, in a tree of groups. Each may have a limit, and the smallest on the
way from the own group to the root counts. `MemoryMax=` and `MemoryHigh=` of systemd are such limits.
"""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

MEMORY_SHARE = 0.5
"""Fraction of the memory of the GPU, or of the machine without one, that scoring may use by default."""
LIMITS = {"cgroup2": ("memory.max", "memory.high"), "cgroup": ("memory.limit_in_bytes",)}
"""Files of a group that hold a limit in bytes, by the kind of its file system: version 2 and version 1."""


def host_memory_bytes(root: Path = Path("/")) -> int:
    """Memory this process may use: that of the machine or of its groups, whichever is smallest.

    Args:
        root: below which `/proc` and the groups are looked for.
    """
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([installed, *group_limits(root)])


def group_limits(root: Path) -> Iterator[int]:
    """All limits in bytes of this process's group and those above it; none where there are no groups."""
    groups = [line.split(":", 2) for line in lines_of(root / "proc/self/cgroup") if line.count(":") >= 2]
    for line in lines_of(root / "proc/self/mountinfo"):
        head, _, tail = line.partition(" - ")
        kind, _, options = (tail.split() + [""] * 3)[:3]
        mounted, mount_point = (unescaped(part) for part in head.split()[3:5])
        for number, controllers, path in groups:
            is_own = number == "0" if kind == "cgroup2" else "memory" in controllers.split(",")
            if kind in LIMITS and is_own and (kind == "cgroup2" or "memory" in options.split(",")):
                for folder in folders_of(path, mounted, mount_point):
                    yield from (limit for name in LIMITS[kind] for limit in limit_in(root / folder.lstrip("/") / name))


def folders_of(path: str, mounted: str, mount_point: str) -> list[str]:
    """Folders of a group and of those above it that can be seen here, the nearest first.

    Args:
        mounted: the group that is seen as the root of the tree, such as that of a container.

    >>> folders_of("/system.slice/musc.service", "/", "/sys/fs/cgroup")
    ['/sys/fs/cgroup/system.slice/musc.service', '/sys/fs/cgroup/system.slice', '/sys/fs/cgroup']
    >>> folders_of("/docker/4f/job", "/docker/4f", "/sys/fs/cgroup/memory")
    ['/sys/fs/cgroup/memory/job', '/sys/fs/cgroup/memory']
    >>> folders_of("/../other", "/", "/sys/fs/cgroup")
    ['/sys/fs/cgroup']
    """
    group = PurePosixPath(path)
    relative = group.relative_to(mounted) if group.is_relative_to(mounted) else PurePosixPath()
    if ".." in relative.parts:  # outside of what can be seen
        relative = PurePosixPath()
    return [str(PurePosixPath(mount_point) / folder) for folder in (relative, *relative.parents)]


def limit_in(file: Path) -> list[int]:
    """The limit that a file holds; none where it says `max` or is missing."""
    return [int(line) for line in lines_of(file)[:1] if line.isdecimal()]


def lines_of(file: Path) -> list[str]:
    """Lines of a file; none where it cannot be read."""
    try:
        return file.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []


def unescaped(part: str) -> str:
    """A path as `mountinfo` writes it, spaces and the like as octal numbers."""
    for sign in " \t\n\\":
        part = part.replace(f"\\{ord(sign):03o}", sign)
    return part
