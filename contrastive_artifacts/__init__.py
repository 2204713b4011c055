"""Hears what is wrong with a recording: which artifact, how bad, where.

import contrastive_artifacts as ca

encoder = ca.load("release")
encoder.classify("clip.wav").label          # "hum"
ca.scan("film.mp4").to_html("film.html")
"""

from . import artifacts as artifacts  # a callable module: artifacts() lists the names
from .artifacts import RenderedView as RenderedView
from .artifacts import artifact as artifact
from .artifacts import render as render
from .artifacts import replay as replay
from .core.errors import ArtifactsError as ArtifactsError
from .embedding.pretrained import Classification as Classification
from .embedding.pretrained import PretrainedEncoder as PretrainedEncoder
from .embedding.pretrained import load as load
from .scan.scan import Timeline as Timeline
from .scan.scan import scan as scan
from .search.index import Index as Index

__version__ = "0.1.0"
