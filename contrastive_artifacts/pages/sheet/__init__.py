"""The contact sheet of artifacts as one HTML file."""

from .page import SheetRow as SheetRow
from .page import write_sheet as write_sheet
