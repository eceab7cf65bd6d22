"""The commands: each calls what does the work, and prints."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from chandra_runner.errors import ChandraRunnerError, ExitCode

from .options import parse, usable_cores

if TYPE_CHECKING:
    from chandra_runner.ciao.installation import Installation
    from chandra_runner.planning.plan import Plan
    from chandra_runner.recipe.recipe import Recipe

    from .site_profile import Profile

Command = Callable[[argparse.Namespace], ExitCode]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments.pop(0) if arguments and arguments[0] in COMMANDS else "run"
    options = parse(name, arguments, {command: summary for command, (_, summary) in COMMANDS.items()})
    from .logging import set_up

    set_up(_verbosity(options))
    try:
        return COMMANDS[name][0](options)
    except ChandraRunnerError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # `chandra-run plan recipe.yaml | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK


def run(options: argparse.Namespace) -> ExitCode:
    """Reduce the observations of a recipe."""
    if options.dry_run:
        return plan(options)
    from chandra_runner.running.run import exit_code, run_plan

    from .progress import reporting
    from .tables import run_json, run_summary

    profile = _profile(options)
    made, cores = _plan(options, profile), _cores_of(options, profile)
    signal.signal(signal.SIGTERM, _interrupt)
    tasks = len(made.order) * len(made.recipe.observations)
    with reporting(tasks, _verbosity(options), bar=not (options.no_progress or options.quiet)) as reporter:
        reports = run_plan(made, reporter, cores=cores, fail_fast=options.fail_fast)
    if options.json:
        print(run_json(reports))
    elif not options.quiet:
        print(run_summary(reports, made.recipe.products))
    return exit_code(reports)


def plan(options: argparse.Namespace) -> ExitCode:
    """Show what would run, and why; write nothing."""
    from chandra_runner.planning.provenance import notes

    from .tables import plan_json, plan_table

    profile = _profile(options)
    made = _plan(options, profile)
    decisions = [decision for obsid in made.recipe.observations for decision in made.decisions(obsid)]
    if getattr(options, "check_archive", False):
        from chandra_runner.reporting.archive_updates import with_newer_data

        decisions = with_newer_data(made, decisions)
    if options.json:
        print(plan_json(decisions))
        return ExitCode.OK
    print(plan_table(decisions, _commands_of(made, _cores_of(options, profile)) if options.verbose else {}))
    for note in notes(made):
        print(f"note: {note}")
    return ExitCode.OK


def export(options: argparse.Namespace) -> ExitCode:
    """Write CIAO's commands as a shell script."""
    from chandra_runner.planning.plan import make_plan
    from chandra_runner.reporting.ciao_script import script
    from chandra_runner.running.run import cores_of_task

    options.engine = "auto"  # whether CIAO is here is all the same
    made = make_plan(_recipe(options, has_ciao=True), ciao=None, up_to=options.stage)
    cores = cores_of_task(_cores_of(options, _profile(options)), len(made.recipe.observations))
    text = script(made.recipe, made.order, cores)
    if options.output is None:
        print(text, end="")
    else:
        options.output.write_text(text, encoding="utf-8")
    return ExitCode.OK


def validate(options: argparse.Namespace) -> ExitCode:
    """Check a recipe and show all its problems."""
    from chandra_runner.errors import RecipeError

    from .tables import problems_json

    try:
        recipe = _recipe(options, has_ciao=_find_ciao(_profile(options)) is not None)
    except RecipeError as error:
        if not options.json:
            raise
        print(problems_json(error.problems))
        return error.exit_code
    count = len(recipe.observations)
    summary = f"{count} observation{'s' * (count > 1)}, up to {', '.join(recipe.stages)}"
    print(problems_json([]) if options.json else f"{options.recipe}: valid; {summary}")
    return ExitCode.OK


def stages(options: argparse.Namespace) -> ExitCode:
    """Show the stages, or the settings of one."""
    from chandra_runner.reporting.stage_reference import stage_text, stages_markdown, stages_text
    from chandra_runner.stages.registry import get
    from chandra_runner.stages.registry import stages as all_stages

    if options.markdown:
        print(stages_markdown(all_stages().values()))
    else:
        print(stage_text(get(options.stage)) if options.stage else stages_text(all_stages().values()))
    return ExitCode.OK


def status(options: argparse.Namespace) -> ExitCode:
    """Show what there is, when it was made, and what failed; run and write nothing."""
    from chandra_runner.planning.plan import make_plan
    from chandra_runner.reporting.status import status_json, status_table, task_states

    ciao = _find_ciao(_profile(options))
    states = list(task_states(make_plan(_recipe(options, has_ciao=ciao is not None), ciao=ciao)))
    print(status_json(states) if options.json else status_table(states))
    return ExitCode.OK


def verify(options: argparse.Namespace) -> ExitCode:
    """Read all products and raw data, and tell what is damaged."""
    from chandra_runner.planning.plan import make_plan
    from chandra_runner.reporting.verify import verify as verify_files
    from chandra_runner.reporting.verify import verify_json, verify_text

    options.engine = "auto"  # what is there was made by whatever made it
    made = make_plan(_recipe(options, has_ciao=True), ciao=None, up_to=options.stage)
    checked = list(verify_files(made, _cores_of(options, _profile(options))))
    print(verify_json(checked) if options.json else verify_text(checked))
    return ExitCode.TASKS if any(file.problem for file in checked) else ExitCode.OK


def init(options: argparse.Namespace) -> ExitCode:
    """Write a recipe to start from."""
    from .init import STARTING_RECIPE, write_recipe

    write_recipe(options.file, STARTING_RECIPE)
    print(f"written to {options.file}; edit it, then: chandra-run validate {options.file}")
    return ExitCode.OK


def find(options: argparse.Namespace) -> ExitCode:
    """Find observations by target or position, and write a recipe of them."""
    from .find import find as find_observations

    return find_observations(options)


COMMANDS: dict[str, tuple[Command, str]] = {
    "run": (run, "reduce the observations of a recipe"),
    "plan": (plan, "show what would run, and why; writes nothing"),
    "validate": (validate, "check a recipe and show all its problems"),
    "export": (export, "write CIAO's commands as a shell script"),
    "stages": (stages, "show the stages, or the settings of one"),
    "status": (status, "show what there is, when it was made, and what failed; writes nothing"),
    "verify": (verify, "read all products and raw data, and tell what is damaged; writes nothing"),
    "init": (init, "write a recipe to start from"),
    "find": (find, "find observations by target or position, and write a recipe of them"),
}


def _profile(options: argparse.Namespace) -> Profile:
    from .site_profile import load_profile

    profile = load_profile(options.profile)
    if profile.mirror:  # as a user would set it in the shell
        os.environ.setdefault("CDA_MIRROR_SITE", profile.mirror)
    return profile


def _find_ciao(profile: Profile) -> Installation | None:
    from chandra_runner.ciao.installation import find_ciao

    return find_ciao(profile.ciao)


def _cores_of(options: argparse.Namespace, profile: Profile) -> int:
    return int(options.cores or profile.cores or usable_cores())


def _recipe(options: argparse.Namespace, has_ciao: bool) -> Recipe:
    from chandra_runner.recipe.recipe import Overrides, load_recipe

    return load_recipe(
        options.recipe,
        Overrides(
            data=options.data,
            products=options.products,
            archive=options.archive,
            engine=options.engine,
            only=options.only,
            has_ciao=has_ciao,
        ),
    )


def _plan(options: argparse.Namespace, profile: Profile) -> Plan:
    from chandra_runner.planning.plan import make_plan

    ciao = _find_ciao(profile)
    recipe = _recipe(options, has_ciao=ciao is not None)
    return make_plan(
        recipe,
        ciao=ciao,
        up_to=options.stage,
        force=options.force,
        renew="tools" in options.refresh,
        refresh="data" in options.refresh,
    )


def _commands_of(plan: Plan, cores: int) -> dict[tuple[int, str], str]:
    """CIAO's commands of the tasks that it would do, where the raw data are there."""
    from chandra_runner.errors import DataError
    from chandra_runner.reporting.ciao_script import commands_of
    from chandra_runner.running.run import cores_of_task

    share = cores_of_task(cores, len(plan.recipe.observations))
    stages = [stage for stage in plan.order if plan.engines[stage] == "ciao"]
    found = {}
    for obsid in plan.recipe.observations if stages else ():
        with contextlib.suppress(DataError):  # told by the task itself
            commands = commands_of(plan.recipe, stages, obsid, share)
            found.update({(obsid, each.stage): each.shell() for each in commands})
    return found


def _verbosity(options: argparse.Namespace) -> int:
    return int(getattr(options, "verbose", False)) - int(getattr(options, "quiet", False))


def _interrupt(*_: object) -> NoReturn:
    """SIGTERM, as batch systems send it, ends a run as Ctrl-C does."""
    raise KeyboardInterrupt
