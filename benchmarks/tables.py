"""Write the tables in the README and the docs from the result files that are there.

    python benchmarks/tables.py          writes them
    python benchmarks/tables.py --check  exits with 1 if one is not up to date

A table stands between ``<!-- table NAME -->`` and ``<!-- end of table -->``; what makes it is in
page_tables/, a file a subject.
"""

import argparse
import re
import sys
from functools import partial

from machine import ROOT
from page_tables import (
    characters,
    eight_bits,
    entities,
    ledger,
    processes,
    recurrent_layers,
    runtimes,
    translators,
)
from page_tables.ablations import ABLATIONS, ablation, by_source_length, by_target_position, scores

PAGES = (
    "README.md",
    "docs/claims.md",
    "docs/char_rnn.md",
    "docs/ner.md",
    "docs/translation.md",
    "docs/performance.md",
    "docs/export.md",
    "docs/recipes.md",
    "docs/survival.md",
)
TABLES = {
    "arguments": ledger.arguments,
    "claims": ledger.claims,
    "int8": eight_bits.int8,
    "int8 quality": eight_bits.int8_quality,
    "layer jax": recurrent_layers.layer_jax,
    "layer lengths": recurrent_layers.layer_lengths,
    "layer memory": recurrent_layers.layer_memory,
    "layer parts": recurrent_layers.layer_parts,
    "layer parts back": recurrent_layers.layer_parts_back,
    "layer speed": recurrent_layers.layer_speed,
    "memory": processes.memory,
    "beam search": translators.beam_search,
    "export step": runtimes.export_step,
    "export sequences": runtimes.export_sequences,
    "char-rnn": characters.char_rnn,
    "char-rnn layers": characters.char_rnn_layers,
    "sampling": characters.sampling,
    "size": processes.size,
    "ner": entities.ner,
    "ner layers": entities.ner_layers,
    "ner speed": entities.ner_speed,
    "translation": translators.translation,
    "beams": translators.beams,
    "decoding": translators.decoding,
}
TABLES |= {f"translate {name}": partial(ablation, name, scores) for name in ABLATIONS}
TABLES |= {
    "translate attention by length": partial(ablation, "attention", by_source_length),
    "translate reversal by position": partial(ablation, "reversal", by_target_position),
}


def filled(text: str) -> str:
    """A page with its tables made anew."""

    def table(match: re.Match) -> str:
        return f"{match[1]}\n{TABLES[match[2]]()}\n{match[3]}"

    pattern = r"(<!-- table ([\w -]+?) -->)\n.*?(<!-- end of table -->)"
    return re.sub(pattern, table, text, flags=re.DOTALL)


def main() -> int:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for page in (ROOT / name for name in PAGES):
        text = page.read_text()
        if filled(text) != text:
            stale.append(str(page.relative_to(ROOT)))
            if not check:
                page.write_text(filled(text))
    if stale:
        print(f"{'not up to date' if check else 'written'}: {', '.join(stale)}", file=sys.stderr)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
