"""Measures of a recording from its samples, without a network: findings with places, and facts of the whole."""

from .bandwidth import Bandwidth as Bandwidth
from .finding import Finding as Finding
from .mains import Mains as Mains
from .meter import Measured as Measured
from .meter import Meter as Meter
from .relations import Relation as Relation
from .text import facts as facts
