"""The arguments that the laboratory measures, by the name that the command line knows."""

from lstm_recipes.lab.argument import Argument
from lstm_recipes.lab.folk import FOLK
from lstm_recipes.lab.forecasting import FORECASTING
from lstm_recipes.lab.lstm_or_gpt2 import LSTM_OR_GPT2
from lstm_recipes.lab.sequential import SEQUENTIAL
from lstm_recipes.lab.two_megabytes import TWO_MEGABYTES
from lstm_recipes.lab.vanishing import VANISHING

ARGUMENTS: dict[str, Argument] = {
    "vanishing-gradients": VANISHING,
    "sequential-operations": SEQUENTIAL,
    "lstm-or-gpt2-speed": LSTM_OR_GPT2,
    "two-megabytes": TWO_MEGABYTES,
    "time-series": FORECASTING,
    "folk-melodies": FOLK,
}
