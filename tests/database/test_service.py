"""What has happened when a service is open, which is before its server is ready."""

from __future__ import annotations

from contextlib import closing

from collector.ingest import device, robot
from collector.service import Service

PATTERNS = device._parser, robot._harmless, robot._robots, robot._known


def test_what_reads_user_agents_is_loaded_before_the_first_event(config):
    for loaded in PATTERNS:
        loaded.cache_clear()
    with closing(Service(config)):
        assert [loaded.cache_info().currsize for loaded in PATTERNS] == [1, 1, 1, 1]
        device.read("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
        robot.name_of("Somebody/1.0 (Linux)")
        robot.name_of("Somebot/1.0")
        assert [loaded.cache_info().misses for loaded in PATTERNS] == [1, 1, 1, 1]
