"""Rules on metrics of which samples are sent: which are accepted, what they read, and when they fire."""

from __future__ import annotations

import pytest

from analytics.base.errors import InvalidInput
from analytics.health.series import INSTALLATION
from analytics.notify import rule_json, rules
from analytics.notify.alert import LIVE_S
from analytics.notify.kinds.change import MetricChanged
from analytics.notify.kinds.crossing import Crossing
from analytics.notify.kinds.line import LineCrossed
from analytics.notify.kinds.silence import NothingArrives
from analytics.notify.reading import EarlierPeople, LiveReadings, Sources
from analytics.notify.trials import TrialSources, try_rule
from analytics.query.backend import fetch_from
from tests.support.alerts import keep_rules, line, rule, said, steps
from tests.support.factories import NOW, added_site
from tests.support.replica import facts
from tests.support.samples import CPU, RATE, instance, sample, stored_samples

HOUR, DAY = 3_600, 86_400
WEB, DB = instance("web"), instance("db")
HIGH_CPU = {"name": "CPU", "when": {"metric": CPU, "above": 70}, "notify": {"priority": "high", "title": "{value} %"}}


def above(metric: str = CPU) -> LineCrossed:
    return LineCrossed(metric, Crossing.ABOVE, 70)


def below(metric: str = CPU) -> LineCrossed:
    return LineCrossed(metric, Crossing.BELOW, 70)


# ── which are accepted ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rule_on_a_metric_of_which_no_sample_has_come_is_refused_as_misspelt(database):
    site = added_site(database).id
    given = rule_json.read(HIGH_CPU)
    with pytest.raises(InvalidInput, match=r"when\.metric: no sample of cpu_percent has come yet; live: ") as refused:
        rules.add(database, site, given, now=NOW)
    assert list(refused.value.fields) == ["when.metric"]
    stored_samples(database, sample(), site_id=added_site(database, "other.example").id)
    with pytest.raises(InvalidInput, match="no sample of cpu_percent"):
        rules.add(database, site, given, now=NOW)
    stored_samples(database, sample(), site_id=site)
    assert rules.add(database, site, given, now=NOW).when == above()


def test_a_metric_of_the_installation_is_for_the_rules_of_every_site(database):
    stored_samples(database, sample(), site_id=INSTALLATION)
    kept = rules.add(database, added_site(database).id, rule_json.read(HIGH_CPU), now=NOW)
    assert rules.get(database, kept.id).when == above()


def test_a_rule_cannot_be_changed_to_a_metric_that_is_not_there(database):
    site = added_site(database).id
    stored_samples(database, sample(), site_id=site)
    kept = rules.add(database, site, rule_json.read(HIGH_CPU), now=NOW)
    other = rule_json.read({**HIGH_CPU, "when": {"metric": "cpu_percnt", "above": 70}})
    with pytest.raises(InvalidInput, match="no sample of cpu_percnt has come yet"):
        rules.change(database, kept.id, other, now=NOW)


# ── when they fire ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_alert_fires_on_the_newest_sample_and_is_over_when_samples_are_low_again(database, watching):
    site = added_site(database).id
    cpu = rule(above(), title="{metric} is {value}, above {threshold}")
    keep_rules(database, cpu)
    watch = watching(cpu)

    def see(*values: float) -> None:
        for value in values:
            watch.samples.take(site, [sample(value, at=watch.now)])
            watch.evaluator.evaluate_live(watch.now)
            watch.now += LIVE_S

    see(69, 91, *[12] * 8)
    assert steps(database) == [(5, "firing", 91, ""), (10, "recovering", 12, ""), (40, "recovered", 12, "")]
    assert said(database)[0] == (5, "alert.firing", "cpu_percent is 91, above 70")


def test_a_metric_that_falls_silent_is_silent_after_the_two_minutes_that_a_sample_is_current(database, watching):
    site = added_site(database).id
    silent = rule(NothingArrives(CPU, 60))
    keep_rules(database, silent)
    watch = watching(silent)
    watch.samples.take(site, [sample(50, at=NOW)])
    for _ in range(0, 200, LIVE_S):
        watch.evaluator.evaluate_live(watch.now)
        watch.now += LIVE_S
    assert [(at, step) for at, step, *_ in steps(database)] == [(120, "pending"), (180, "firing")]


def test_a_metric_of_which_nothing_has_come_for_two_minutes_fires_nothing(database, watching):
    site = added_site(database).id
    low = line(metric=CPU, crossing=Crossing.BELOW, threshold=10)
    keep_rules(database, low)
    watch = watching(low)
    watch.samples.take(site, [sample(5, at=NOW - 120)])
    assert watch.evaluator.evaluate_live(NOW) == []


# ── what they read ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def reads(database, watching):
    """What a rule reads of a site now, with the sources of an evaluator."""
    site, watch = added_site(database), watching()

    def read(when, **sources):
        return LiveReadings(Sources(*watch.sources)._replace(**sources), EarlierPeople(), NOW).read(when, site)

    read.watch, read.site = watch, site
    return read


def test_of_several_sets_of_tags_a_rule_reads_the_one_that_is_farthest_beyond_its_line(reads):
    reads.watch.samples.take(reads.site.id, [sample(20, tags=WEB), sample(90, tags=DB)])
    assert (reads(above()), reads(below())) == (90, 20)


def test_rates_of_several_sets_of_tags_add_up(reads):
    reads.watch.samples.take(reads.site.id, [sample(20, RATE + "x"), sample(20, "jobs_per_second", tags=WEB)])
    reads.watch.samples.take(reads.site.id, [sample(90, "jobs_per_second", tags=DB)])
    assert reads(below("jobs_per_second")) == 110


def test_a_name_of_the_servers_metrics_is_the_applications_once_it_sends_samples(reads):
    reads.watch.load = {RATE: 5.0, "error_rate": 1.0}
    assert (reads(above(RATE)), reads(above("error_rate"))) == (5, 1)
    reads.watch.samples.take(reads.site.id, [sample(300, RATE)])
    assert (reads(above(RATE)), reads(above("error_rate"))) == (300, 1)
    reads.watch.samples.take(reads.site.id, [sample(300, "error_rate", at=NOW - HOUR)])
    assert reads(above("error_rate")) is None, "the application is silent, and the server's errors are not its"


def test_the_change_is_against_the_minute_an_hour_ago(database, reads):
    at = NOW - HOUR
    stored_samples(database, sample(10, at=at), sample(30, at=at + 59), sample(999, at=at + 60), site_id=reads.site.id)
    reads.watch.samples.take(reads.site.id, [sample(30)])
    assert reads(MetricChanged(CPU, Crossing.ABOVE, 20)) == 50
    assert reads(MetricChanged("memory_percent", Crossing.ABOVE, 20)) is None


def test_the_change_of_a_metric_of_the_installation_is_against_the_installations(database, reads):
    stored_samples(database, sample(10, at=NOW - HOUR, tags=WEB), sample(20, at=NOW - HOUR, tags=DB))
    reads.watch.samples.take(INSTALLATION, [sample(30)])
    assert reads(MetricChanged(CPU, Crossing.ABOVE, 20)) == 50
    assert reads(MetricChanged(CPU, Crossing.BELOW, 20)) == 200


def test_a_trial_reads_the_newest_sample_from_the_database(database):
    site = added_site(database)
    stored_samples(database, sample(95, at=NOW - 20), sample(5, RATE, at=NOW - 20), site_id=site.id)
    sources = TrialSources(database, facts(fetch_from(database)), 60)
    tried = try_rule(rule(above(), title="{value} %"), site, sources, now=NOW)
    assert (tried.value, tried.is_breached, tried.text.title) == (95, True, "95 %")
    assert try_rule(rule(above(RATE)), site, sources, now=NOW).value == 5
    assert try_rule(rule(above()), site, sources, now=NOW + DAY).value is None
