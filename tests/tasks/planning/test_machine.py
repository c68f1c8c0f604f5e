"""Sizes as people write them, and the memory this process may use."""

import os
from pathlib import Path

import pytest

from tasks.planning import machine
from tasks.planning.machine import host_memory_bytes, parse_bytes


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("512", 512),
        ("512B", 512),
        ("7kB", 7_000),
        ("7KiB", 7_168),
        ("3MB", 3_000_000),
        ("3MiB", 3_145_728),
        ("8GB", 8_000_000_000),
        ("8G", 8_000_000_000),
        ("8gb", 8_000_000_000),
        (" 1.5 GiB ", 1_610_612_736),
        ("2TB", 2_000_000_000_000),
        ("0.25TiB", 274_877_906_944),
    ],
)
def test_parsed_bytes(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    "text", ["", "B", "GB", "plenty", "-8GB", "0", "0.2", "8 PB", "8GBB", "8GI B8", "infGB", "nan", "8,5GB", "1e999"]
)
def test_parsed_bytes_refuses_what_is_no_positive_size(text: str) -> None:
    with pytest.raises(ValueError, match="memory must be a positive size such as 8GB or 512MiB, got '"):
        parse_bytes(text)


@pytest.fixture
def limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only file that may limit this process's memory, not written yet."""
    monkeypatch.setattr(machine, "CGROUP_LIMITS", (str(tmp_path / "memory.max"), str(tmp_path / "absent")))
    return tmp_path / "memory.max"


def test_host_memory_is_that_of_the_machine_without_a_limit(limit: Path) -> None:
    assert host_memory_bytes() == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") > 0


def test_host_memory_is_the_containers_where_that_is_less(limit: Path) -> None:
    limit.write_text("123456789\n")
    assert host_memory_bytes() == 123456789


@pytest.mark.parametrize("unlimited", ["max\n", "9223372036854771712\n"])
def test_host_memory_is_the_machines_in_a_container_without_limit(limit: Path, unlimited: str) -> None:
    without = host_memory_bytes()
    limit.write_text(unlimited)
    assert host_memory_bytes() == without
