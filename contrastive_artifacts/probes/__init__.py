"""Probes: classifiers and regressors on embeddings, and figures of them measured on held-out sources."""

from __future__ import annotations

from .bootstrap import Interval as Interval
from .bootstrap import bootstrap as bootstrap
from .bootstrap import bootstrap_mean as bootstrap_mean
from .bootstrap import bootstrap_sums as bootstrap_sums
from .bundle import Probe as Probe
from .calibration import expected_calibration_error as expected_calibration_error
from .calibration import fit_temperature as fit_temperature
from .columns import CHANCE as CHANCE
from .columns import verdict_columns as verdict_columns
from .data import TASKS as TASKS
from .data import Embedded as Embedded
from .data import task_labels as task_labels
from .either import AnyProbe as AnyProbe
from .either import load_any_probe as load_any_probe
from .either import ordered as ordered
from .evaluate import evaluate as evaluate
from .few_shot import FewShot as FewShot
from .few_shot import few_shot as few_shot
from .knn import NeighbourTable as NeighbourTable
from .knn import knn_predict as knn_predict
from .knn import neighbours as neighbours
from .linear import LinearProbe as LinearProbe
from .linear import SeverityProbe as SeverityProbe
from .localisation import localisation as localisation
from .metrics import accuracy as accuracy
from .metrics import clean_recall as clean_recall
from .metrics import confusion as confusion
from .metrics import confusion_table as confusion_table
from .metrics import macro_f1 as macro_f1
from .metrics import severity_spearman as severity_spearman
from .mlp import MLPProbe as MLPProbe
from .sets import SetProbe as SetProbe
from .spaces import alignment as alignment
from .spaces import content_leakage as content_leakage
from .spaces import effective_rank as effective_rank
from .spaces import hit_leakage as hit_leakage
from .spaces import hubness as hubness
from .spaces import retrieval as retrieval
from .spaces import retrieval_chance as retrieval_chance
from .spaces import uniformity as uniformity
from .storage import PROBES as PROBES
from .storage import load_probe as load_probe
from .storage import save_probe as save_probe
from .verdicts import Verdicts as Verdicts
