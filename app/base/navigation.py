"""The pages of the lab: a row each, in the order in which the navigation lists them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """One page; what it shows is the file of its name in `pages/`.

    Attributes:
        name: of its file, and in addresses.
        title: in the navigation.
        icon: beside that, of Streamlit's Material symbols.
        staged: whether it obeys the stage and the highlighted task; others have no slider and no strip.
    """

    name: str
    title: str
    icon: str
    staged: bool = False


PAGES = (
    Page("start", "Start", ":material/home:"),
    Page("stream", "Stream", ":material/linear_scale:"),
    Page("train", "Train", ":material/model_training:"),
    Page("map", "Feature map", ":material/scatter_plot:", staged=True),
    Page("routing", "Routing", ":material/alt_route:", staged=True),
    Page("sample", "Sample", ":material/frame_inspect:", staged=True),
    Page("forgetting", "Forgetting & transfer", ":material/grid_on:", staged=True),
    Page("compare", "Compare", ":material/bar_chart:"),
    Page("learn", "Learn", ":material/school:"),
    Page("settings", "Settings", ":material/settings:"),
)
"""The first is where a visitor arrives."""
STAGED = frozenset(page.name for page in PAGES if page.staged)
"""Names of the pages that obey the stage and the highlighted task."""
