"""What axe-core finds that keeps people from using a page."""

import functools

import pytest

from pyml.assets import AssetError, axe

# Rules of WCAG 2.1 A and AA, and the good practice that pages have landmarks and headings in order.
RUN = """async ([within, only]) => {
  const rules = only ? { runOnly: { type: "rule", values: only } } : {};
  const { violations } = await axe.run(within ?? document, { resultTypes: ["violations"], ...rules });
  const bad = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  const why = ({ target, failureSummary }) => `${target.join(" ")}: ${failureSummary.split("\\n")[1]?.trim()}`;
  return bad.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${why(node)}`));
}"""


COLOURS = ["color-contrast", "link-in-text-block"]  # the rules that look at colours: all that differs between themes


@functools.cache
def source():
    """The library; skips where it was not fetched."""
    try:
        return axe.script().read_text(encoding="utf-8")
    except AssetError as reason:
        pytest.skip(str(reason))


def barriers(page, within=None, schemes=("light", "dark")):
    """What is serious or critical on a page, or in what a selector names, in both themes."""
    found = []
    page.evaluate(source())
    for i, scheme in enumerate(schemes):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{scheme}: {text}" for text in page.evaluate(RUN, [within, COLOURS if i else None])]
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    return found
