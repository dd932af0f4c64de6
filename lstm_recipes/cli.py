"""The command ``lstm-recipes``: every recipe's functions as commands.

TensorFlow takes seconds to load, so nothing here imports it: a recipe does, when it runs.
"""

import functools
import importlib
import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from lstm_recipes.errors import UserError
from lstm_recipes.exhausted import disk_trouble, memory_trouble
from lstm_recipes.quiet import load_tensorflow
from lstm_recipes.recipes import RECIPES

USAGE = """\
usage: lstm-recipes list
       lstm-recipes RECIPE COMMAND [options]     COMMAND: {commands}
       lstm-recipes RECIPE COMMAND --help        what every option means
       lstm-recipes launch --workers N -- RECIPE train [options]
                                                 several processes that train as one

recipes:
{recipes}
"""
COMMANDS = ("train", "evaluate", "sample", "tag", "translate", "ablation", "export", "list", "run")
BUDGETS = ("--steps", "--epochs", "--minutes")


def main(argv: list[str] | None = None) -> int:
    """Run a command and return its exit status: 0 done, 1 bad data or run, 2 usage, 75 another
    worker was lost, 130 interrupted. Results go to standard output, progress and messages to
    standard error."""
    argv = sys.argv[1:] if argv is None else argv
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")  # no notices later on; warnings stay
    try:
        status = _run(argv)
        sys.stdout.flush()  # a closed pipe is found here, and not at exit
        return status
    except UserError as error:
        print(f"lstm-recipes: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt as interrupt:
        print(f"lstm-recipes: {interrupt or 'stopped'}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # what reads our output, head say, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        trouble = memory_trouble(error, {})
        if full := disk_trouble(error):
            trouble = f"{full}; make room for it, or name a folder on another disk"
        if trouble is None:
            raise
        print(f"lstm-recipes: {trouble}", file=sys.stderr)
        return 1


def _run(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        print(USAGE.format(commands=" | ".join(COMMANDS), recipes=_recipes()), end="")
        return 0 if argv else 2
    if argv[0] == "list":
        print(_recipes())
        return 0
    if argv[0] == "launch":
        from lstm_recipes.launch import launch

        return launch(argv[1:])
    if argv[0] not in RECIPES:
        print(
            f"lstm-recipes: there is no recipe {argv[0]!r}; there is {', '.join(RECIPES)}",
            file=sys.stderr,
        )
        return 2
    recipe = importlib.import_module(RECIPES[argv[0]][0])
    _command(argv[0], recipe, argv[1:])
    return 0


def _recipes() -> str:
    return "\n".join(f"  {name:12} {about}" for name, (_, about) in RECIPES.items())


def _command(name: str, recipe: Any, arguments: list[str]) -> None:
    """Let tyro turn the recipe's functions into commands, and print what they give back."""
    import tyro

    functions = {c: getattr(recipe, c) for c in COMMANDS if hasattr(recipe, c)}
    if "train" in functions:
        preset, presets = "default", recipe.PRESETS
        if arguments[:1] == ["train"]:
            preset, arguments = _preset(f"lstm-recipes {name} train", presets, arguments)
        if any(word.split("=")[0] in BUDGETS for word in arguments):  # it replaces the preset's own
            none = {"steps": None, "epochs": None, "minutes": None}
            presets = {p: replace(numbers, **none) for p, numbers in presets.items()}
        functions["train"] = _with_numbers(functions["train"], presets, preset)
    functions = {c: _with_tensorflow(function) for c, function in functions.items()}
    result = tyro.extras.subcommand_cli_from_dict(
        functions,
        prog=f"lstm-recipes {name}",
        description=recipe.__doc__,
        args=arguments,
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
    )
    if result is not None:
        _print(result)


def _preset(prog: str, presets: dict[str, Any], arguments: list[str]) -> tuple[str, list[str]]:
    """Take ``--preset NAME`` out of the arguments: it fixes the defaults of all the others."""
    import argparse

    parser = argparse.ArgumentParser(prog, add_help=False, allow_abbrev=False)
    parser.add_argument("--preset", choices=presets, default="default")
    found, rest = parser.parse_known_args(arguments)
    return found.preset, rest


def _with_numbers(train: Callable, presets: dict[str, Any], preset: str) -> Callable:
    """``train`` with the numbers of a preset for its defaults, and the preset's name to choose."""

    def command(**arguments: Any) -> Any:
        del arguments["preset"]  # it has done its work: the defaults
        return train(**arguments)

    functools.update_wrapper(command, train)
    del command.__wrapped__  # tyro would take the types and the help from there
    numbers, *others = inspect.signature(train).parameters.values()
    chosen = inspect.Parameter(
        "preset", inspect.Parameter.KEYWORD_ONLY, default=preset, annotation=Literal[*presets]
    )
    parameters = [chosen, *others, numbers.replace(default=presets[preset])]
    parameters = [p.replace(kind=p.KEYWORD_ONLY) for p in parameters]
    command.__signature__ = inspect.Signature(parameters)
    command.__annotations__ = train.__annotations__ | {"preset": Literal[*presets]}
    about = "    preset: A named set of numbers; other options change single ones of them.\n"
    command.__doc__ = inspect.getdoc(train).replace("Args:\n", "Args:\n" + about)
    return command


def _with_tensorflow(function: Callable) -> Callable:
    """The function, with TensorFlow loaded quietly once its arguments are found to be right."""

    def command(*args: Any, **kwargs: Any) -> Any:
        where = kwargs.get("where")
        # A recipe that does not place its layers says so itself.
        load_tensorflow(where and functools.partial(where.replicas, places_layers=True))
        return function(*args, **kwargs)

    functools.update_wrapper(command, function)
    command.__signature__ = inspect.signature(function)
    del command.__wrapped__
    return command


def _print(result: dict[str, Any]) -> None:
    """A result, one line a number, and its parts that are tables as tables."""
    tables = {name: value for name, value in result.items() if isinstance(value, dict | list)}
    for name, value in result.items():
        if name not in tables:
            shown = f"{value:,}" if isinstance(value, int) else value
            print(f"{name.replace('_', ' '):24} {shown}")
    for name, rows in tables.items():
        if isinstance(rows, dict):
            rows = [{"": key} | row for key, row in rows.items()]
        _print_table(name, rows)


def _print_table(name: str, rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    if not rows:
        return
    table = Table(title=name.replace("_", " "), title_justify="left", box=None, pad_edge=False)
    for column, value in rows[0].items():
        table.add_column(column, justify="left" if isinstance(value, str) else "right")
    for row in rows:
        table.add_row(*(f"{v:.2f}" if isinstance(v, float) else str(v) for v in row.values()))
    # Where there is no terminal, enough room for every row.
    width = None if sys.stdout.isatty() else 160
    print()
    Console(file=sys.stdout, highlight=False, markup=False, emoji=False, width=width).print(table)


if __name__ == "__main__":
    sys.exit(main())
