"""Python in a tab of the built site, for benchmarks that run code there."""

import json
import textwrap

BLANK = "/vendor/vega.LICENSE.txt"  # any file of the site that is not a page
LOAD = """async () => {
  const { loadPyml } = await import("/web/pyml.js");
  window.pyml = await loadPyml({ status: () => {} });
}"""


def run(page, url: str, query: str, code: str, path: str = BLANK) -> list:
    """The last value of `code`, which is JSON, in a page that starts Python with the options of `query`."""
    page.goto(f"{url}{path}?{query}")
    page.evaluate(LOAD)
    return json.loads(page.evaluate("(code) => pyml.runPython(code)", textwrap.dedent(code)))
