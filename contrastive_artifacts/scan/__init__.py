"""Scanning: the windows of a recording are classified and joined to the segments of a timeline."""

from .lanes import WindowClassifier as WindowClassifier
from .scan import scan as scan
from .timeline import Segment as Segment
from .timeline import Timeline as Timeline
