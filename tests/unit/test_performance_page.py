"""What `python -m benchmarks --write` does to docs/performance.md."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest

from benchmarks.__main__ import NAMES
from benchmarks.common import ROOT, Report
from benchmarks.performance_page import PAGE, replaced, section, sections, write

TWO = """# Measurements

## live

What it is.

<!-- bench live -->

Old.

<!-- end live -->

A decision.

<!-- bench kill -->
<!-- end kill -->
"""


def test_the_page_has_a_section_of_every_benchmark_in_the_order_in_which_they_run():
    page = PAGE.read_text("utf-8")
    assert sections(page) == list(NAMES)
    for name in NAMES:
        assert f"\n## {name}\n" in page
        assert "\n\nnew\n\n" in replaced(page, name, "new")


def test_a_benchmark_that_ran_replaces_its_section_and_nothing_else(tmp_path, capsys):
    report = Report()
    report.say("2 cores")
    report.head("live")
    report.at_most("p50", 38, 250, "ms")
    report.zero("lost", 0)
    file = tmp_path / "performance.md"
    file.write_text(TWO)
    write(file, "live", section(report.lines, "2 cores · Linux", "0123abcd", date(2026, 11, 29)))
    printed = capsys.readouterr().out.split("\n")[3:5]
    assert printed[0].split() == ["p50", "38", "ms", "target", "≤", "250", "ms:", "met"]
    measured = f"""Measured on 2026-11-29, commit 0123abcd, 2 cores · Linux:

```text
{printed[0]}
{printed[1]}
```"""
    assert file.read_text() == TWO.replace("Old.", measured)


def test_a_section_can_be_replaced_again_and_an_empty_one_filled():
    once = replaced(replaced(TWO, "live", "first"), "live", "second")
    assert once == TWO.replace("Old.", "second")
    assert replaced(TWO, "kill", "new").endswith("<!-- bench kill -->\n\nnew\n\n<!-- end kill -->\n")


@pytest.mark.parametrize(
    "page",
    [
        TWO.replace("<!-- bench live -->", ""),
        TWO.replace("<!-- end live -->", ""),
        TWO + "<!-- bench live -->\n<!-- end live -->\n",
        "<!-- end live -->\n<!-- bench live -->\n",
    ],
)
def test_a_page_without_the_markers_is_left_as_it_is(page, tmp_path):
    file = tmp_path / "performance.md"
    file.write_text(page)
    with pytest.raises(ValueError, match="bench live"):
        write(file, "live", "new")
    assert file.read_text() == page


def test_rough_figures_are_not_written_down():
    command = [sys.executable, "-m", "benchmarks", "privacy", "--short", "--write"]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "--write takes no --short" in refused.stderr
