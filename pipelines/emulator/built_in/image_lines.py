"""Which images the made-up company builds, on what base, how often.

Figures only; `builds` makes pushes of them, `special_images` adds what is not a plain image.
"""

from typing import NamedTuple

KB, MB, GB = 10**3, 10**6, 10**9
# What the names of the images that others are built on begin with; anybody may pull them.
BASES = "platform/base/"


class Part(NamedTuple):
    """One layer of an image line: its usual size, how much that varies, how rarely it changes.

    `spread` is the standard deviation of the size's logarithm; the layer changes on average with
    every `lasts`-th build.
    """

    size: int
    spread: float = 0.2
    lasts: float = 1.0


class Line(NamedTuple):
    """A repository whose builds follow each other between two days, counted back from today."""

    name: str
    base: str | None
    parts: tuple[Part, ...]
    builds: int
    first_day: int = 1460
    last_day: int = 1
    is_oci: bool = False
    is_nightly: bool = False


_ENTRYPOINT = Part(240, 0.3, 2)
_WORKDIR = Part(120, 0.1, 12)

_BASES = (
    Line("platform/base/debian", None, (Part(29 * MB, 0.02),), 36),
    Line("platform/base/alpine", None, (Part(3_400 * KB, 0.03),), 18),
    Line(
        "platform/base/python",
        "platform/base/debian",
        (Part(16 * MB, 0.1), Part(250, 0.1, 3)),
        40,
    ),
    Line("platform/base/node", "platform/base/debian", (Part(47 * MB, 0.1),), 36),
    Line("platform/base/java", "platform/base/debian", (Part(150 * MB, 0.1),), 30),
    Line(
        "platform/base/cuda",
        "platform/base/debian",
        (Part(60 * MB, 0.1, 2), Part(380 * MB, 0.2, 2), Part(800 * MB, 0.05), Part(180, 0.1)),
        11,
    ),
)


def _service(size: int, dependencies: int) -> tuple[Part, ...]:
    """Layers of a service: its dependencies change less often than its own code."""
    return (Part(dependencies, 0.5, 4), Part(size, 0.6), _ENTRYPOINT)


_SHOP = (
    Line("shop/storefront", "platform/base/node", _service(18 * MB, 140 * MB), 85, is_oci=True),
    Line("shop/checkout", "platform/base/java", _service(11 * MB, 70 * MB), 80),
    Line("shop/cart", "platform/base/java", _service(7 * MB, 60 * MB), 62),
    Line("shop/catalogue", "platform/base/java", _service(12 * MB, 90 * MB), 70),
    Line("shop/search", "platform/base/java", _service(16 * MB, 160 * MB), 55),
    Line("shop/pricing", "platform/base/python", _service(6 * MB, 95 * MB), 58, is_oci=True),
    Line("shop/inventory", "platform/base/java", _service(9 * MB, 60 * MB), 45, last_day=75),
    Line("shop/payments/api", "platform/base/java", _service(10 * MB, 80 * MB), 64),
    Line("shop/payments/worker", "platform/base/java", _service(8 * MB, 80 * MB), 52),
    Line("shop/recommendations", "platform/base/python", _service(9 * MB, 280 * MB), 48),
    Line("shop/notifications", "platform/base/node", _service(8 * MB, 60 * MB), 40, last_day=210),
    Line("shop/loyalty", "platform/base/node", _service(7 * MB, 50 * MB), 26, 1300, last_day=520),
    Line("shop/admin", "platform/base/node", _service(13 * MB, 120 * MB), 44, is_oci=True),
)

_DATA = (
    Line("data/ingest/clickstream", "platform/base/alpine", (Part(31 * MB, 0.3), _ENTRYPOINT), 75),
    Line("data/ingest/orders", "platform/base/alpine", (Part(37 * MB, 0.3), _ENTRYPOINT), 66),
    Line(
        "data/spark",
        "platform/base/java",
        (Part(330 * MB, 0.1, 3), Part(260 * MB, 0.4, 1.3), Part(45 * MB, 0.5), _ENTRYPOINT),
        46,
    ),
    Line(
        "data/airflow",
        "platform/base/python",
        (_WORKDIR, Part(330 * MB, 0.3, 3), *(Part(9 * MB, 0.9, 2),) * 4, _ENTRYPOINT),
        78,
        is_nightly=True,
    ),
    Line("data/dbt", "platform/base/python", _service(3 * MB, 85 * MB), 60, is_oci=True),
    Line(
        "data/notebooks/analyst",
        "platform/base/python",
        (*(Part(14 * MB, 0.9, 2.5),) * 7, Part(420 * MB, 0.3, 2), _ENTRYPOINT),
        40,
        is_nightly=True,
    ),
    Line(
        "data/notebooks/gpu",
        "platform/base/cuda",
        (*(Part(30 * MB, 1.1, 3),) * 17, _ENTRYPOINT),
        34,
        900,
        is_nightly=True,
    ),
    Line(
        "data/training/ranking",
        "platform/base/cuda",
        (Part(650 * MB, 0.2, 3), Part(520 * MB, 0.4), Part(12 * MB, 0.5), _ENTRYPOINT),
        78,
        1100,
        is_nightly=True,
    ),
    Line(
        "data/training/demand-forecast",
        "platform/base/cuda",
        (Part(600 * MB, 0.2, 3), Part(340 * MB, 0.4), Part(9 * MB, 0.5), _ENTRYPOINT),
        44,
        1000,
        last_day=130,
        is_nightly=True,
    ),
    Line(
        "data/serving/ranking",
        "platform/base/python",
        (Part(240 * MB, 0.3, 3), Part(310 * MB, 0.6), Part(5 * MB, 0.6), _ENTRYPOINT),
        60,
        is_oci=True,
    ),
    Line(
        "data/serving/language-model",
        "platform/base/cuda",
        (Part(4_100 * MB, 0.0, 8), Part(9 * MB, 0.6), _ENTRYPOINT),
        14,
        330,
        is_oci=True,
    ),
)

# Each base comes before what is built on it.
LINES = (*_BASES, *_SHOP, *_DATA)

# By the beginning of a repository's name; of several the longest counts.
_TEAMS = {
    "platform/": "platform",
    "shop/": "shop",
    "shop/payments/": "payments",
    "data/": "data-engineering",
    "data/notebooks/": "analytics",
    "data/training/": "machine-learning",
    "data/serving/": "machine-learning",
}


def team_of(name: str) -> str:
    """The team that a repository belongs to."""
    return _TEAMS[max((begin for begin in _TEAMS if name.startswith(begin)), key=len)]
