"""The command line: parses, calls, prints."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from . import __version__
from .errors import ChandraRunnerError, ExitCode

if TYPE_CHECKING:
    from .ciao.installation import Installation
    from .plan import Plan
    from .profile import Profile
    from .recipe import Recipe

Command = Callable[[argparse.Namespace], ExitCode]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments.pop(0) if arguments and arguments[0] in COMMANDS else "run"
    options = _parser(name).parse_args(_joined_signs(arguments))
    from .log import set_up

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
    from .progress import reporting
    from .run import exit_code, run_plan
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
    from .provenance import notes
    from .tables import plan_json, plan_table

    profile = _profile(options)
    made = _plan(options, profile)
    decisions = [decision for obsid in made.recipe.observations for decision in made.decisions(obsid)]
    if getattr(options, "check_archive", False):
        from .newdata import with_newer_data

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
    from .ciaoscript import script
    from .plan import make_plan
    from .run import cores_of_task

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
    from .errors import RecipeError
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
    from .registry import get
    from .registry import stages as all_stages
    from .stagehelp import stage_text, stages_markdown, stages_text

    if options.markdown:
        print(stages_markdown(all_stages().values()))
    else:
        print(stage_text(get(options.stage)) if options.stage else stages_text(all_stages().values()))
    return ExitCode.OK


def status(options: argparse.Namespace) -> ExitCode:
    """Show what there is, when it was made, and what failed; run and write nothing."""
    from .plan import make_plan
    from .status import status_json, status_table, task_states

    ciao = _find_ciao(_profile(options))
    states = list(task_states(make_plan(_recipe(options, has_ciao=ciao is not None), ciao=ciao)))
    print(status_json(states) if options.json else status_table(states))
    return ExitCode.OK


def verify(options: argparse.Namespace) -> ExitCode:
    """Read all products and raw data, and tell what is damaged."""
    from .plan import make_plan
    from .verify import verify as verify_files
    from .verify import verify_json, verify_text

    options.engine = "auto"  # what is there was made by whatever made it
    made = make_plan(_recipe(options, has_ciao=True), ciao=None, up_to=options.stage)
    checked = list(verify_files(made, _cores_of(options, _profile(options))))
    print(verify_json(checked) if options.json else verify_text(checked))
    return ExitCode.TASKS if any(file.problem for file in checked) else ExitCode.OK


def init(options: argparse.Namespace) -> ExitCode:
    """Write a recipe to start from."""
    from .newrecipe import STARTING_RECIPE, write_recipe

    write_recipe(options.file, STARTING_RECIPE)
    print(f"written to {options.file}; edit it, then: chandra-run validate {options.file}")
    return ExitCode.OK


def find(options: argparse.Namespace) -> ExitCode:
    """Find observations by target or position, and write a recipe of them."""
    from .findcommand import find as find_observations

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


def _parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chandra-run" if name == "run" else f"chandra-run {name}",
        description=COMMANDS[name][1].capitalize() + ".",
        epilog=_commands() if name == "run" else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    if name == "stages":
        parser.add_argument("stage", nargs="?", metavar="STAGE", help="a stage, to see its settings")
        parser.add_argument("--markdown", action="store_true", help="all stages and settings, as a docs page")
    elif name == "init":
        parser.add_argument(
            "file", nargs="?", type=Path, default=Path("recipe.yaml"), help="it must not exist (%(default)s)"
        )
    elif name == "find":
        from .findcommand import add_find_options

        add_find_options(parser)
    else:
        parser.add_argument("recipe", type=Path, metavar="RECIPE", help="the recipe, a YAML file")
        _recipe_options(parser)
    if name in ("run", "plan", "validate", "status", "verify"):
        parser.add_argument("--json", action="store_true", help="write one JSON document to standard output")
    if name == "export":
        parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it to a file")
    if name in ("run", "plan", "export", "verify"):
        _extent_options(parser)
    if name in ("run", "plan"):
        _plan_options(parser)
    if name == "plan":
        parser.add_argument(
            "--check-archive", action="store_true", help="ask the archives whether they have newer raw data"
        )
    if name == "run":
        _run_options(parser)
    return parser


def _commands() -> str:
    rows = "\n".join(f"  {name:10}{text}" for name, (_, text) in COMMANDS.items() if name != "run")
    return (
        f"other commands (chandra-run COMMAND --help tells more):\n{rows}\n\n"
        "exit codes: 0 all done, up to date or excluded; 1 some tasks failed; 2 the recipe or the command\n"
        "line is wrong; 3 the environment is (no CIAO, disk full, locked by another run); 130 interrupted"
    )


def _recipe_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("instead of what the recipe says")
    group.add_argument("--data", type=Path, metavar="DIR", help="where the ObsID directories are")
    group.add_argument(
        "--archive", type=_names, metavar="NAME,...", help="where missing ones are fetched from; or none"
    )
    group.add_argument("--products", type=Path, metavar="DIR", help="where products go")
    group.add_argument("--engine", choices=("auto", "ciao", "native"), help="what runs the stages")
    group.add_argument("--only", type=_obsids, metavar="OBSID,...", help="only these observations")
    parser.add_argument(
        "--profile", type=Path, metavar="FILE", help="settings of the site, instead of the user's own"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="show only warnings and errors")
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="show also what is up to date, why tasks run, and commands",
    )


def _extent_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--stage", action="append", default=[], metavar="STAGE", help="run up to this stage; repeatable"
    )
    parser.add_argument(
        "--cores", type=_cores, metavar="N", help=f"how many to use (the profile's, or all {_usable_cores()})"
    )


def _plan_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--force",
        action="append",
        default=[],
        metavar="STAGE",
        help="run this stage though up to date; repeatable",
    )
    parser.add_argument(
        "--refresh",
        action="append",
        default=[],
        choices=("data", "tools"),
        help="data: ask the archives for newer raw data; tools: make again what another version of CIAO made",
    )


def _run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="as chandra-run plan")
    parser.add_argument("--fail-fast", action="store_true", help="start nothing more after the first failure")
    parser.add_argument("--no-progress", action="store_true", help="no progress bar")
    parser.add_argument("--version", action="version", version=f"chandra_runner {__version__}")


def _profile(options: argparse.Namespace) -> Profile:
    from .profile import load_profile

    profile = load_profile(options.profile)
    if profile.mirror:  # as a user would set it in the shell
        os.environ.setdefault("CDA_MIRROR_SITE", profile.mirror)
    return profile


def _find_ciao(profile: Profile) -> Installation | None:
    from .ciao.installation import find_ciao

    return find_ciao(profile.ciao)


def _cores_of(options: argparse.Namespace, profile: Profile) -> int:
    return int(options.cores or profile.cores or _usable_cores())


def _recipe(options: argparse.Namespace, has_ciao: bool) -> Recipe:
    from .recipe import Overrides, load_recipe

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
    from .plan import make_plan

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
    from .ciaoscript import commands_of
    from .errors import DataError
    from .run import cores_of_task

    share = cores_of_task(cores, len(plan.recipe.observations))
    stages = [stage for stage in plan.order if plan.engines[stage] == "ciao"]
    found = {}
    for obsid in plan.recipe.observations if stages else ():
        with contextlib.suppress(DataError):  # told by the task itself
            commands = commands_of(plan.recipe, stages, obsid, share)
            found.update({(obsid, each.stage): each.shell() for each in commands})
    return found


def _joined_signs(arguments: Sequence[str]) -> list[str]:
    """``--dec -26:35:34`` as ``--dec=-26:35:34``, which argparse does not take for an option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] in ("--ra", "--dec") and argument[:1] == "-" and argument[1:2].isdecimal():
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def _verbosity(options: argparse.Namespace) -> int:
    return int(getattr(options, "verbose", False)) - int(getattr(options, "quiet", False))


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cores(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of cores of at least 1")
    return int(text)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _obsids(text: str) -> tuple[int, ...]:
    names = _names(text)
    wrong = [name for name in names if not name.isdecimal()]
    if wrong or not names:
        raise argparse.ArgumentTypeError(f"{text!r}: ObsIDs are whole numbers, separated by commas")
    return tuple(int(name) for name in names)


def _interrupt(*_: object) -> NoReturn:
    """SIGTERM, as batch systems send it, ends a run as Ctrl-C does."""
    raise KeyboardInterrupt
