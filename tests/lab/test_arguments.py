"""Arguments: what all have, the parts that are kept, and the command."""

import json
from dataclasses import replace

import pytest

from lstm_recipes.cli import main
from lstm_recipes.lab import arguments
from lstm_recipes.lab.argument import Parts, picture
from lstm_recipes.lab.arguments import ARGUMENTS

VERDICTS = ("holds", "holds in part", "does not hold")


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_argument_says_what_it_is_about(name):
    argument = ARGUMENTS[name]
    assert len(argument.says) > 20 and argument.source and argument.minutes > 0
    assert len(argument.shows) > 40 and argument.seeds >= 0


def test_parts_are_kept_and_measured_once(tmp_path):
    said = []
    one = Parts(tmp_path, notify=said.append)
    assert one("first", lambda: (1, 2)) == [1, 2]
    with pytest.raises(ZeroDivisionError):
        one("second", lambda: 1 / 0)
    two = Parts(tmp_path, notify=said.append)
    assert two("first", lambda: "another") == [1, 2] and two.seconds == one.seconds
    assert two("second", lambda: 2) == 2
    assert [line.split(":")[0] for line in said] == ["first", "second"]
    assert Parts(tmp_path, overwrite=True, notify=said.append)("first", lambda: 3) == 3


def easy(numbers):
    """An argument that measures nothing but one number of a seed."""

    def measure(part, seeds):
        parts = [part(f"seed {k}", lambda k=k: numbers[k]) for k in range(seeds)]
        return {"values": parts}

    return replace(
        ARGUMENTS["vanishing-gradients"],
        measure=measure,
        judge=lambda found: (f"{found['values']}", "holds" if max(found["values"]) < 5 else "-"),
        draw=lambda found, figure: figure.subplots().plot(found["values"]),
        seeds=2,
    )


def test_the_command_measures_goes_on_and_draws(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(arguments.ARGUMENTS, "easy", easy([1]))
    command = ["lab", "run", "easy", "--folder", str(tmp_path)]
    with pytest.raises(IndexError):
        main(command)
    monkeypatch.setitem(arguments.ARGUMENTS, "easy", easy([9, 3]))
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "[1, 3]" in shown and "verdict" in shown and "holds" in shown
    kept = json.loads((tmp_path / "easy-2" / "result.json").read_text())
    assert kept["numbers"] == {"values": [1, 3]} and kept["seeds"] == 2
    assert (tmp_path / "easy-2" / "picture.svg").read_text().startswith("<?xml")
    assert main([*command, "--seeds", "1"]) == 0
    assert "[9]" in capsys.readouterr().out


def test_seeds_where_nothing_is_drawn_at_random(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(arguments.ARGUMENTS, "easy", replace(easy([]), seeds=0))
    command = ["lab", "run", "easy", "--folder", str(tmp_path), "--seeds", "2"]
    assert main(command) == 1
    assert "leave out --seeds" in capsys.readouterr().err
    assert main(["lab", "run", "easy", "--network", "elman"]) == 1
    assert "no task; leave out --network" in capsys.readouterr().err


def test_the_same_numbers_give_the_same_picture(tmp_path):
    for name in ("one.svg", "two.svg"):
        picture(easy([]), {"values": [1, 2]}, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
