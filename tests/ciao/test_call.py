"""Calls: only what the tools take, shown as a person would write it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from chandra_runner.ciao.call import Call, ListFile, call, stack
from chandra_runner.ciao.parameters import LONGEST, tools
from chandra_runner.errors import DataError


def test_a_call_becomes_arguments_that_never_prompt_and_replace_output() -> None:
    made = call("dmcopy", infile="in.fits[EVENTS][energy=500:7000]", outfile="out.fits")
    assert made.argv == (
        "dmcopy",
        "infile=in.fits[EVENTS][energy=500:7000]",
        "outfile=out.fits",
        "clobber=yes",
        "mode=h",
    )


def test_tools_that_know_no_clobber_are_not_given_it() -> None:
    assert call("deflare", infile="a", outfile="b").argv[-2:] == ("outfile=b", "mode=h")


@pytest.mark.parametrize(("value", "text"), [(True, "yes"), (False, "no")])
def test_booleans_are_yes_and_no(value: bool, text: str) -> None:
    assert f"cleanup={text}" in call("chandra_repro", outdir="out", cleanup=value).argv


@pytest.mark.parametrize(
    ("tool", "parameters", "message"),
    [
        ("dmcopy", {"infile": "a"}, "dmcopy requires the parameter outfile"),
        (
            "dmcopy",
            {"infile": "a", "outfile": "b", "ofile": "c"},
            "there is no parameter ofile; did you mean",
        ),
        ("dmcopy", {"infile": 1, "outfile": "b"}, "infile does not accept 1"),
        ("dmcopy", {"infile": "a\nb", "outfile": "b"}, "infile does not accept"),
        ("dmcopy", {"infile": 'a"b', "outfile": "b"}, "infile does not accept"),
        ("dmcopy", {"infile": "ä", "outfile": "b"}, "infile does not accept"),
        (
            "dmextract",
            {"infile": "a", "outfile": "b", "opt": "ltc"},
            "opt=ltc is not one of pha1, pha2",
        ),
        ("fluximage", {"infile": "a", "outroot": "b", "psfecf": 1.5}, "psfecf=1.5 is not within 0 and 1"),
        ("fluximage", {"infile": "a", "outroot": "b", "random": 1.5}, "random does not accept 1.5"),
        ("fluximage", {"infile": "a", "outroot": "b", "random": True}, "random does not accept True"),
        ("fluximage", {"infile": "a", "outroot": "b", "random": -1}, "random=-1 is not within 0 and inf"),
        (
            "fluximage",
            {"infile": "a", "outroot": "b", "binsize": float("nan")},
            "binsize does not accept nan",
        ),
        ("fluximage", {"infile": "a", "outroot": "b", "parallel": "yes"}, "parallel does not accept 'yes'"),
        ("fluximage", {"infile": "a", "outroot": "b", "bands": "x" * 2000}, "bands would be 2000 characters"),
    ],
)
def test_what_a_tool_would_refuse_is_refused(tool: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=tool) as refusal:
        call(tool, **parameters)
    assert message in str(refusal.value)


def test_the_tables_are_those_of_ciao(shared_data: Path) -> None:
    real = json.loads((shared_data.parent / "facts" / "ciao_parameters.json").read_text())
    for name, tool in tools().items():
        rows = {row["name"]: row for kind in ("required", "optional") for row in real[name][kind]}
        assert set(tool.parameters) == set(rows)
        for parameter in tool.parameters.values():
            row = rows[parameter.name]
            assert parameter.kind == row["type"]
            assert parameter.options == tuple(row.get("options", ()))
            if row.get("max") is not None:
                assert parameter.maximum == row["max"]


def test_the_shell_reads_a_shown_command_as_the_same_arguments() -> None:
    made = call("dmextract", infile="a b.fits[energy=500:7000][bin time=::200]", outfile="x'y", opt="ltc1")
    assert "\\\n" in Call("dmcopy", ("a=b" * 20, "c=d" * 20)).shell()
    assert tuple(shlex.split(made.shell().replace("\\\n", ""))) == made.argv


def test_long_lists_become_a_file() -> None:
    few, none = stack(["a.fits", "b.fits"], "x.lis")
    assert (few, none) == ("a.fits,b.fits", ())
    names = [f"pcadf{number:05d}_asol1.fits" for number in range(100)]
    many, files = stack(names, "x.lis")
    assert len(",".join(names)) > LONGEST
    assert many == "@-x.lis"
    assert files == (ListFile("x.lis", tuple(names)),)
    assert files[0].text.splitlines() == names
    assert "<<'END'" in files[0].shell()
