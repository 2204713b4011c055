"""Rules by which a scan fails: ``"clipping>0.5 dropout>=1"``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..core.errors import ParameterError
from ..core.suggestions import clause
from .summary import FileSummary

ANY, UNREADABLE = "any", "unreadable"
_RULE = re.compile(r"(?P<name>[^<>=]+)(?P<sign>>=?)(?P<limit>\d+|\d*\.\d+)")


@dataclass(frozen=True)
class Rule:
    """A limit that each recording is held against; it is broken by one that is beyond it.

    Attributes:
        name: An artifact; "any" for all of them; "unreadable" for recordings that could not be scanned.
        inclusive: Whether the limit itself breaks the rule: ``>=``, otherwise ``>``.
        limit: A float is compared with the worst severity of the segments of that name in the recording (those of
            unknown severity do not count), an int with their number.
    """

    name: str
    inclusive: bool
    limit: int | float

    def __str__(self) -> str:
        return f"{self.name}{'>=' if self.inclusive else '>'}{self.limit}"

    def broken_by(self, file: FileSummary) -> str:
        """What of a recording breaks the rule, in words; "" if nothing does."""
        if self.name == UNREADABLE:
            return f"cannot be scanned: {file.reason}" if not file.scanned and self._is_beyond(1) else ""
        names = list(file.counts) if self.name == ANY else [self.name]
        what = "artifacts" if self.name == ANY else self.name
        if isinstance(self.limit, int):
            count = sum(file.counts.get(name, 0) for name in names)
            return f"{count} segments of {what}" if self._is_beyond(count) else ""
        name = max(names, key=lambda each: file.severities.get(each, -1.0), default="")
        severity = file.severities.get(name, -1.0)
        return f"{name} of severity {severity:.2f}" if self._is_beyond(severity) else ""

    def _is_beyond(self, value: float) -> bool:
        return value >= self.limit if self.inclusive else value > self.limit


def parse_rules(text: str | None, labels: Iterable[str]) -> list[Rule]:
    """Rules of a text, between spaces; none for None.

    Args:
        text: ``NAME>LIMIT`` and ``NAME>=LIMIT``: a limit with a decimal point ("0.5", "1.0") is one of severity, in
            [0, 1]; one without ("1") is a number of segments.
        labels: Artifacts that the encoder knows.

    Raises:
        ParameterError: a rule that cannot be read, one that nothing or everything breaks, or an unknown name (the
            message has the close ones).
    """
    names = [*labels, ANY, UNREADABLE]
    return [_parsed(word, names) for word in (text or "").split()]


def broken_rules(rules: Sequence[Rule], files: Iterable[FileSummary]) -> Iterator[str]:
    """A sentence for each recording and rule that it breaks."""
    for file in files:
        for rule in rules:
            if what := rule.broken_by(file):
                yield f"{file.title}: {what} (rule {rule})"


def _parsed(word: str, names: Sequence[str]) -> Rule:
    match = _RULE.fullmatch(word)
    if match is None:
        raise ParameterError(
            f"fail_on: {word!r} is no rule; write NAME>SEVERITY with a decimal point (clipping>0.5) or NAME>=COUNT "
            "(dropout>=1), with spaces between rules and none inside."
        )
    name, text = match["name"], match["limit"]
    if name not in names:
        raise ParameterError(f"fail_on: there is no artifact {name!r}{clause(name, names)} Known: {', '.join(names)}.")
    limit = float(text) if "." in text else int(text)
    rule = Rule(name, match["sign"] == ">=", limit)
    if isinstance(limit, float) and name == UNREADABLE:
        raise ParameterError(f"fail_on: {word!r}: a recording has no severity of that; write {UNREADABLE}>=1.")
    if isinstance(limit, float) and (limit > 1 or (limit == 1 and not rule.inclusive)):
        raise ParameterError(f"fail_on: nothing breaks {word!r}: severities lie in 0 to 1; a count has no point.")
    if limit == 0 and isinstance(limit, int) and rule.inclusive:
        raise ParameterError(f"fail_on: every recording breaks {word!r}; write {name}>=1.")
    return rule
