"""The arguments that the laboratory measures, by the name that the command line knows."""

from lstm_recipes.lab.argument import Argument
from lstm_recipes.lab.folk import FOLK
from lstm_recipes.lab.forecasting import FORECASTING
from lstm_recipes.lab.vanishing import VANISHING

ARGUMENTS: dict[str, Argument] = {
    "vanishing-gradients": VANISHING,
    "time-series": FORECASTING,
    "folk-melodies": FOLK,
}
