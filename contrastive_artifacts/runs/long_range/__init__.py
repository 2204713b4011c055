"""Long-range context: audio material, pairs with equal local sound, and scores against the length of context."""

from .collect import collect as collect
from .experiment import run_all as run_all
from .material import CLASSES as CLASSES
from .material import TURNS_HZ as TURNS_HZ
from .material import Item as Item
from .material import items as items
from .material import pair_items as pair_items
from .material import place as place
from .material import turn_items as turn_items
from .pairs import LOCAL_S as LOCAL_S
from .pairs import PAIRS as PAIRS
from .pairs import Pair as Pair
from .plan import REFERENCE_S as REFERENCE_S
from .plan import Entry as Entry
from .plan import Plan as Plan
from .scoring import Predictions as Predictions
from .scoring import cross_context as cross_context
from .scoring import cross_linear as cross_linear
from .scoring import folds as folds
from .scoring import predicted as predicted
from .scoring import shortest_window as shortest_window
from .turns import revolution_rate as revolution_rate
from .turns import series_probe as series_probe
