"""What is decided about a task, and the reasons, from manifests alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chandra_runner.ciao.installation import Installation
from chandra_runner.errors import SiteError, UsageError
from chandra_runner.planning.decisions import Action, Decision, decide
from chandra_runner.planning.fingerprint import FingerprintParts, inputs_of
from chandra_runner.planning.ledger import Ledger
from chandra_runner.planning.plan import Plan, make_plan
from chandra_runner.recipe.recipe import load_recipe
from chandra_runner.stages.outcome import Outcome
from chandra_runner.stages.registry import get

from .products import publish

MakePlan = Callable[..., Plan]


@pytest.fixture
def plan(tmp_path: Path) -> MakePlan:
    """Makes the plan of a recipe with one observation; its text stands below ``stages:``."""
    raw = tmp_path / "data" / "11" / "primary"
    raw.mkdir(parents=True)
    (raw / "acisf00011N001_evt2.fits").write_bytes(b"events")

    def make(stages: str = "deflare: {}", engine: str = "native", **options: Any) -> Plan:
        path = tmp_path / "recipe.yaml"
        path.write_text(
            f"recipe: 1\nobservations: [11]\narchive: [none]\nengine: {engine}\n"
            f"data: data\nproducts: products\nstages: {{{stages}}}\n"
        )
        return make_plan(load_recipe(path), **options)

    return make


def make_products(plan: Plan, *stages: str, engine: str = "native", **fields: Any) -> None:
    """Publish products of stages, as if a run of the plan had made them."""
    for stage in stages:
        ledger = ledger_of(plan)
        decision = decide(plan, stage, ledger)
        inputs = inputs_of(get(stage), ledger)
        parts = replace(decision.parts, inputs=inputs)
        if parts.engine != "any":
            parts = replace(parts, engine=engine)
        files = dict.fromkeys(get(stage).makes, stage)
        publish(ledger.directory / stage, parts, files, **fields)


def ledger_of(plan: Plan) -> Ledger:
    return Ledger(plan.recipe.products, plan.recipe.data, 11)


def decisions(plan: Plan) -> dict[str, Decision]:
    return {decision.stage: decision for decision in plan.decisions(11)}


ALL = ("download", "prepare_chandra_info", "chandra_repro", "deflare")


def test_what_was_never_made_runs(plan: MakePlan) -> None:
    made = decisions(plan())
    assert tuple(made) == ALL
    assert {(d.action, d.reasons) for d in made.values()} == {(Action.RUN, ("never made",))}


def test_what_has_the_same_fingerprint_is_up_to_date(plan: MakePlan) -> None:
    make_products(plan(), *ALL)
    assert {d.action for d in decisions(plan()).values()} == {Action.UP_TO_DATE}


def test_a_changed_setting_is_named_with_both_values(plan: MakePlan) -> None:
    make_products(plan(), *ALL)
    made = decisions(plan("deflare: {allowed_sigma: 2.5}"))
    assert made["deflare"].action is Action.RUN
    assert made["deflare"].reasons == ("setting allowed_sigma: 3 -> 2.5",)
    assert made["chandra_repro"].action is Action.UP_TO_DATE


def test_what_comes_after_a_task_that_runs_may_change(plan: MakePlan) -> None:
    make_products(plan(), *ALL)
    made = decisions(plan(force=["chandra_repro"]))
    assert made["chandra_repro"].reasons == ("forced",)
    assert made["deflare"].reasons == ("its input may change: chandra_repro runs first",)


def test_a_last_failure_is_the_reason_for_trying_again(plan: MakePlan) -> None:
    ledger = ledger_of(plan())
    ledger.record_failure("deflare", "no good idea")
    assert decide(plan(), "deflare", ledger).reasons == ("failed last time: no good idea",)


def test_what_comes_after_an_excluded_task_is_excluded_with_its_reason(plan: MakePlan) -> None:
    make_products(plan(), *ALL[:2])
    make_products(plan(), "chandra_repro", outcome=Outcome.EXCLUDED, reason="no exposure has good time")
    made = decisions(plan())
    assert (made["chandra_repro"].action, made["chandra_repro"].reasons) == (
        Action.EXCLUDED,
        ("no exposure has good time",),
    )
    assert (made["deflare"].action, made["deflare"].reasons) == (
        Action.EXCLUDED,
        ("no exposure has good time",),
    )


def test_an_excluded_task_that_runs_again_excludes_nothing_yet(plan: MakePlan) -> None:
    make_products(plan(), *ALL[:2])
    make_products(plan(), "chandra_repro", outcome=Outcome.EXCLUDED, reason="no exposure has good time")
    made = decisions(plan("deflare: {}", force=["chandra_repro"]))
    assert made["chandra_repro"].action is Action.RUN
    assert (made["deflare"].action, made["deflare"].reasons) == (Action.RUN, ("never made",))


def test_another_raw_file_reruns_only_what_reads_its_kind(plan: MakePlan, tmp_path: Path) -> None:
    make_products(plan(), *ALL)
    (tmp_path / "data/11/primary/acisf00011N001_full_img2.fits").write_bytes(b"image")
    made = decisions(plan())
    assert made["download"].reasons == ("raw file primary/acisf00011N001_full_img2.fits is new",)
    assert "its input may change: download runs first" in made["chandra_repro"].reasons
    parts = made["chandra_repro"].parts
    assert not any("img2" in name for name in parts.inputs)


def test_auto_accepts_what_either_engine_made(plan: MakePlan) -> None:
    make_products(plan(), *ALL, engine="ciao")
    assert {d.action for d in decisions(plan(engine="auto")).values()} == {Action.UP_TO_DATE}
    reasons = decisions(plan(engine="native"))["deflare"].reasons
    assert reasons[0] == "engine: ciao -> native"


def test_auto_refuses_to_replace_products_of_ciao_by_native_ones(plan: MakePlan) -> None:
    make_products(plan(), *ALL, engine="ciao")
    made = decisions(plan("deflare: {allowed_sigma: 2}", engine="auto"))["deflare"]
    assert made.action is Action.REFUSED
    assert made.action.value == "refused"
    assert "these products were made with CIAO, which was not found" in made.reasons[-1]


def test_products_of_another_version_of_ciao_run_again_on_request(
    plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chandra_runner.planning.decisions.versions", lambda ciao: {"CIAO": "4.18"})
    ciao = Installation(tmp_path)
    make_products(plan(), *ALL, engine="ciao", versions={"CIAO": "4.17"})
    kept = decisions(plan(engine="auto", ciao=ciao))
    assert kept["deflare"].action is Action.UP_TO_DATE
    made = decisions(plan(engine="auto", ciao=ciao, rerun_other_versions=True))
    assert made["chandra_repro"].reasons == ("made with CIAO 4.17, here 4.18",)


def test_kinds_of_raw_files_that_were_needed_once_stay_needed(plan: MakePlan, tmp_path: Path) -> None:
    make_products(plan(), *ALL)
    ledger = ledger_of(plan())
    made = ledger.manifest("download")
    assert made is not None
    older = FingerprintParts("download", 1, "any", {"kinds": ["evt2", "pha2"]}, made.parts.inputs)
    publish(ledger.directory / "download", older, {"raw": "x", "sources": "y"})
    decision = decide(plan(), "download", ledger_of(plan()))
    assert decision.parts.settings["kinds"] == ["evt2", "pha2"]
    assert decision.action is Action.UP_TO_DATE


def test_a_stage_that_is_not_in_the_plan_cannot_be_asked_for(plan: MakePlan) -> None:
    for options in ({"up_to": ["rate_image"]}, {"force": ["rate_image"]}):
        with pytest.raises(UsageError, match=r"rate_image: the plan has no such stage; its stages are down"):
            plan(**options)


def test_engine_ciao_requires_ciao(plan: MakePlan) -> None:
    with pytest.raises(SiteError, match=r"engine: ciao requires CIAO, but CIAO was not found"):
        plan(engine="ciao")
