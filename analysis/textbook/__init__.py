"""Textbook renderings of the artifacts that one channel shows, without the package that they check.

``FORMS``: artifact -> form -> function of mono float64 ``[T]`` of at least 4 s, its sample rate in Hz, a strength in
[0, 1] (slight to severe) and a generator; it returns float64, for artifacts that delete samples fewer of them.

``RECORDINGS``: medium -> the artifacts and forms that recordings of it hold together, in the order of the chain.
"""

from .additive import FORMS as ADDITIVE
from .common import Form
from .missing import FORMS as MISSING
from .nonlinear import FORMS as NONLINEAR
from .spectral import FORMS as SPECTRAL

FORMS: dict[str, dict[str, Form]] = {**ADDITIVE, **NONLINEAR, **MISSING, **SPECTRAL}
RECORDINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "vinyl": (
        ("wow_flutter", ".55 Hz"),
        ("crackle", "dull"),
        ("clicks", "ringing"),
        ("rumble", "band of noise"),
    ),
    "shellac": (
        ("bandlimit", "Butterworth"),
        ("hiss", "pink"),
        ("crackle", "single samples"),
        ("periodic_clicks", "ringing"),
    ),
    "tape": (
        ("saturation", "tanh, oversampled"),
        ("wow_flutter", "12 Hz"),
        ("print_through", "before and after"),
        ("hiss", "white"),
    ),
    "broadcast": (("bandlimit", "Butterworth"), ("pumping", "compressor"), ("hum", "harmonics"), ("hiss", "pink")),
    "short wave": (("bandlimit", "telephone"), ("hiss", "white"), ("whistle", "pilot tone")),
    "telephone line": (("bandlimit", "telephone"), ("quantization", "mu-law"), ("interference", "telephone bursts")),
    "overload": (("clipping", "by gain"),),
}
