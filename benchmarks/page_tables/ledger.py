"""The laboratory's ledger: tasks and arguments."""

import re

from page_tables.shared import NOTHING, line, measured_on, results


def claims() -> str:
    """The ledger of the laboratory's tasks."""
    stored = {name: runs[0] for name, runs in results("lab").items()}
    found = [result for result in stored.values() if "sequences" in result["metrics"]]
    if not found:
        return NOTHING
    beside = {"By Adam": results("lab-adam"), "Elman network": results("lab-elman")}
    lines = [
        "| claim | paper | here | verdict | beside it |",
        "| --- " * 5 + "|",
    ]
    for result in sorted(found, key=lambda result: natural(result["config"])):
        m, name = result["metrics"], result["config"]
        learnt = {kind: runs[name][0]["metrics"] for kind, runs in beside.items() if name in runs}
        others = [f"{kind}: {succeeded(its)}{in_test(its)}." for kind, its in learnt.items()]
        if "control" in m:
            others.append(f"`{m['control']}`: {m['control_succeeded']} of {m['seeds']}.")
        cells = [
            f"{m['claim']} ({m['source']}): `{name}`",
            "–" if m["paper_sequences"] is None else f"{m['paper_sequences']:,}",
            succeeded(m) + in_test(m),
            f"**{m['verdict']}**",
            " ".join(others),
        ]
        lines.append(line(cells))
    every = [*found, *(runs[0] for kind in beside.values() for runs in kind.values())]
    minutes = sum(result["metrics"]["seconds"] for result in every) / 60
    about = (
        "Sequences, or guesses, until a trial succeeds: the mean of those that did, the fewest and "
        f"the most. All rows together took {minutes:.0f} minutes."
    )
    alike: dict[str, list[dict]] = {}
    for result in every:
        alike.setdefault(measured_on(result | {"date": ""}), []).append(result)
    most, *rest = sorted(alike.values(), key=len, reverse=True)
    others = [f"{rows_of(few)}: {measured(few)}" for few in rest]
    about = f"{about} {measured(most)} Each row's file has its day."
    return "\n".join([*lines, "", about, *others])


def measured(several: list[dict]) -> str:
    """Where results were measured that differ in the day alone, and from when to when."""
    dates = [result["date"] for result in several]
    span = " to ".join(dict.fromkeys([min(dates), max(dates)]))
    return measured_on(several[0] | {"date": span})


def rows_of(several: list[dict]) -> str:
    """The names of results, with the network where it is not the paper's."""
    asked = (result["command"].partition(" --network ") for result in several)
    networks = [f" by {network}" if network else "" for _, _, network in asked]
    return ", ".join(f"`{r['config']}`{n}" for r, n in zip(several, networks, strict=True))


def succeeded(metrics: dict) -> str:
    """How many trials, and after how many sequences."""
    counts = [count for count in metrics["sequences"] if count is not None]
    said = f"{metrics['succeeded']} of {metrics['seeds']}"
    if counts:
        said += f": {metrics['mean_sequences']:,} ({min(counts):,}–{max(counts):,})"
    if metrics.get("good"):
        said += f"; {metrics['good']} more err less than once in 1,000 steps"
    failed = sorted(n for n in metrics.get("wrong_in_the_end", []) if n is not None)
    if failed:
        few = "–".join(f"{n:,}" for n in dict.fromkeys([failed[0], failed[-1]]))
        said += f"; {'the others' if counts else 'all'} {few} of {metrics['judged']:,} wrong"
        said += f" after {metrics['seen']:,}" if "seen" in metrics else ""
    return said


def in_test(metrics: dict) -> str:
    """How many of the test sequences those that succeeded had wrong."""
    wrong = sorted(count for count in metrics["wrong"] if count is not None)
    if not wrong:
        return ""
    few = "–".join(f"{count:,}" for count in dict.fromkeys([wrong[0], wrong[-1]]))
    return f"; in the test {few} of {metrics['tests']:,} wrong"


def natural(name: str) -> list:
    """A key by which 50 stands before 100."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def arguments() -> str:
    """The ledger of the arguments, each with its picture."""
    found = [runs[0] for runs in results("lab").values() if "measured" in runs[0]["metrics"]]
    if not found:
        return NOTHING
    parts = []
    for result in sorted(found, key=lambda result: result["config"]):
        m, name = result["metrics"], result["config"]
        seeds = f", {m['seeds']} seeds" if m["seeds"] else ""
        about = f"`lstm-recipes lab run {name}`{seeds}, {max(m['seconds'] / 60, 0.1):.1f} minutes"
        parts += [f"### {m['claim']}", "", f"*{m['source']}.* **{m['verdict'].capitalize()}**:"]
        parts += [f"{m['measured']}.", "", f"![{m['picture']}](pictures/lab/{name}.svg)", ""]
        parts += [f"{about}. {measured_on(result)}", ""]
    return "\n".join(parts[:-1])
