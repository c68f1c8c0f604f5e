"""The memory of this process: the machine's, or the smallest limit of its control groups, of version 1 and 2."""

import os
from pathlib import Path

import pytest

from planning.machine_memory import host_memory_bytes

INSTALLED = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
UNIFIED = "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate"
MEMORY = "36 31 0:33 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory"
CPU = "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu"
UNLIMITED = "9223372036854771712"


def machine(root: Path, groups: str, mounts: str, limits: dict[str, str]) -> Path:
    """A file tree as Linux shows it to a process."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups + "\n")
    (root / "proc/self/mountinfo").write_text(mounts + "\n")
    for name, limit in limits.items():
        (root / "sys/fs/cgroup" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "sys/fs/cgroup" / name).write_text(limit + "\n")
    return root


@pytest.mark.parametrize(
    ("groups", "mounts", "limits", "expected"),
    [
        ("0::/system.slice/musc.service", UNIFIED, {"system.slice/musc.service/memory.max": "1234567"}, 1234567),
        ("0::/system.slice/musc.service", UNIFIED, {"system.slice/memory.max": "1234567"}, 1234567),
        (
            "0::/system.slice/musc.service",
            UNIFIED,
            {
                "system.slice/musc.service/memory.max": "max",
                "system.slice/memory.max": "7654321",
                "memory.max": "99999999",
            },
            7654321,
        ),
        ("0::/a", UNIFIED, {"a/memory.max": "max", "a/memory.high": "1234567"}, 1234567),
        ("0::/a", UNIFIED, {"b/memory.max": "1234567"}, INSTALLED),
        ("0::/", UNIFIED, {"memory.max": "1234567"}, 1234567),
        ("0::/../other", UNIFIED, {"memory.max": "1234567"}, 1234567),
        ("9:memory:/user/a\n8:cpu:/", f"{CPU}\n{MEMORY}", {"memory/user/a/memory.limit_in_bytes": "1234567"}, 1234567),
        (
            "9:memory:/user/a\n8:cpu:/user/a",
            f"{CPU}\n{MEMORY}",
            {"memory/user/a/memory.limit_in_bytes": UNLIMITED, "memory/user/memory.limit_in_bytes": "1234567"},
            1234567,
        ),
        ("9:memory:/a\n0::/a", f"{MEMORY}\n{UNIFIED}", {"memory/a/memory.limit_in_bytes": "1234567"}, 1234567),
        (
            "9:memory:/docker/4f",
            MEMORY.replace(" / /sys", " /docker/4f /sys"),
            {"memory/memory.limit_in_bytes": "1234567"},
            1234567,
        ),
        ("0::/my job", UNIFIED, {"my job/memory.max": "1234567"}, 1234567),
        ("9:memory:/", MEMORY, {"memory/memory.limit_in_bytes": UNLIMITED}, INSTALLED),
        ("8:cpu:/a", CPU, {"cpu/a/memory.limit_in_bytes": "1234567"}, INSTALLED),
    ],
    ids=[
        "own group",
        "group above",
        "smallest on the way",
        "high",
        "another group",
        "root",
        "outside of the namespace",
        "version 1",
        "version 1, group above",
        "both versions",
        "container",
        "space",
        "unlimited",
        "no memory controller",
    ],
)
def test_host_memory_is_the_smallest_limit_from_the_own_group_up(
    tmp_path: Path, groups: str, mounts: str, limits: dict[str, str], expected: int
) -> None:
    assert host_memory_bytes(machine(tmp_path, groups, mounts, limits)) == expected


def test_host_memory_is_that_of_the_machine_where_there_are_no_groups(tmp_path: Path) -> None:
    assert host_memory_bytes(tmp_path) == INSTALLED


def test_host_memory_is_read_on_this_machine() -> None:
    assert 0 < host_memory_bytes() <= INSTALLED
