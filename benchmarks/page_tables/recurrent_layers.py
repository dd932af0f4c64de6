"""The layers alone: their speed, what it is made of, memory, and time against length."""

from page_tables.shared import NOTHING, line, measured_on, results


def layer_speed() -> str:
    """The layers beside Keras' own and the products alone, a table a shape."""
    found = results("layers").get("speed")
    if not found:
        return NOTHING
    parts = []
    for shape, rows in found[0]["metrics"].items():
        batch, steps, features, units, *directions = shape.split("/")
        ways = ", both directions" if directions == ["2"] else ""
        parts += [
            f"**{batch} sequences of {steps} steps, {features} features, {units} units{ways}**",
            "| | forward, ms | faster than Keras | forward and backward, ms | faster | time, of "
            "torch's | of the products' |\n"
            "| --- | --- | --- | --- | --- | --- | --- |\n"
            + "\n".join(map(speed_row, rows, rows.values())),
        ]
    about = (
        f"Medians of {found[0]['repeats']} turns, of the ratios the quartiles too; GRUs beside "
        f"`keras.layers.GRU`, all others beside `keras.layers.LSTM`; the last two columns are of "
        f"forward and backward. {measured_on(found[0])} PyTorch {found[0]['torch']}."
    )
    return "\n\n".join([*parts, about])


def speed_row(name: str, row: dict) -> str:
    """One line of a table of speeds."""
    cells = [name if name.startswith("products") else f"`{name}`"]
    for one in row.values():
        low, middle, high = one["faster"]
        itself = low == middle == high == 1.0  # Keras' own, with which the others are compared
        cells += [f"{one['ms']:,.1f}", "" if itself else f"{middle:.2f} × ({low:.2f}–{high:.2f})"]
    for peer in ("of torch's", "of the products'"):
        low, middle, high = row["forward and backward"][peer]
        cells.append(f"{middle:.2f} ({low:.2f}–{high:.2f})")
    return line(cells)


FORWARD = ("products of the inputs", "products of each step", "equations")
HALVED = "products of each step, in halves"
BACKWARD = ("products of each step back", "derivatives", "products after")


def layer_parts() -> str:
    """What a forward pass is made of."""
    head = ["Keras'", "ours", *FORWARD, "these three", f"({HALVED})"]
    return _parts(head, ["Keras' forward", "forward", *FORWARD, FORWARD, HALVED])


def layer_parts_back() -> str:
    """What training is made of."""
    head = ["Keras'", "ours", "forward, as above", *BACKWARD, "these four"]
    whole = ["Keras' forward and backward", "forward and backward"]
    return _parts(head, [*whole, FORWARD, *BACKWARD, (*FORWARD, *BACKWARD)])


def _parts(head: list[str], columns: list[str | tuple]) -> str:
    """A line a shape and layer; a column may be the sum of several parts."""
    found = results("layers").get("parts")
    if not found:
        return NOTHING
    lines = [line(["milliseconds", *head]), "| --- " * (len(head) + 1) + "|"]
    for shape, kinds in found[0]["metrics"].items():
        for kind, row in kinds.items():
            cells = [
                row[column] if isinstance(column, str) else sum(row[part] for part in column)
                for column in columns
            ]
            lines.append(line([f"`{kind}` {shape}", *(f"{ms:,.1f}" for ms in cells)]))
    about = f"Medians of {found[0]['repeats']} turns. {measured_on(found[0])}"
    return "\n".join([*lines, "", about])


def layer_jax() -> str:
    """The same layers on JAX."""
    found = results("layers").get("jax")
    if not found:
        return NOTHING
    shapes = list(found[0]["metrics"])
    lines = [f"| forward / both, ms | {' | '.join(shapes)} |", "| --- " * (len(shapes) + 1) + "|"]
    for name in found[0]["metrics"][shapes[0]]:
        cells = [
            " / ".join(f"{ms:,.1f}" for ms in found[0]["metrics"][s][name].values()) for s in shapes
        ]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    about = (
        f"Medians of {found[0]['repeats']} turns; JAX {found[0]['jax']}. {measured_on(found[0])}"
    )
    return "\n".join([*lines, "", about])


def layer_memory() -> str:
    """Peak memory in training."""
    found = results("layers").get("memory")
    if not found:
        return NOTHING
    names = list(next(iter(found[0]["metrics"].values())))
    lines = [line(["shape", *(f"`{n}`, MB" for n in names)]), "| --- " * (len(names) + 1) + "|"]
    lines += [
        line([shape, *(f"{row[n]:,}" for n in names)]) for shape, row in found[0]["metrics"].items()
    ]
    about = f"Medians of three processes. {measured_on(found[0])}"
    return "\n".join([*lines, "", about])


def layer_lengths() -> str:
    """Time against the number of steps."""
    found = results("layers").get("lengths")
    if not found:
        return NOTHING
    lines = ["| steps | ms | ms a step | peak memory, MB |", "| --- | --- | --- | --- |"]
    for n, row in found[0]["metrics"].items():
        cells = [f"{int(n):,}", f"{row['ms']:,.1f}", f"{row['ms'] / int(n):.3f}", f"{row['MB']:,}"]
        lines.append(line(cells))
    return "\n".join([*lines, "", measured_on(found[0])])
