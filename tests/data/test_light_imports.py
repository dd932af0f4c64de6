"""What the data sets and metrics of translation need loads when it is used, and not before."""

import subprocess
import sys

HEAVY = {"babel", "keras", "keras_hub", "keras_nlp", "sacrebleu", "sacremoses", "tensorflow"}


def test_data_and_metrics_load_no_library_of_translation():
    program = (
        "import sys, lstm_recipes.data.tokenizers, lstm_recipes.data, lstm_recipes.metrics\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    command = [sys.executable, "-c", program]
    loaded = set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert "lstm_recipes" in loaded
    assert not loaded & (HEAVY | {"tensorflow_datasets", "tensorflow_text"})
