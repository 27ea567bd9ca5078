"""What a page shows while nothing of Python has come yet."""

import pytest

PAINTED = "performance.getEntriesByName('first-contentful-paint').length === 1"


@pytest.mark.parametrize("thread", ["worker", "main"])
def test_a_page_paints_and_says_what_it_does_before_a_byte_of_python_has_come(page, site, thread):
    held = []
    page.route("**/pyodide/**", lambda route: held.append(route))  # answered never
    page.goto(f"{site}/demos/mnist/index.html?backend=cpu&thread={thread}", wait_until="commit")
    page.wait_for_function(PAINTED)
    page.wait_for_function("document.querySelector('#status')?.textContent.startsWith('Downloading Python')")
    for _ in range(1000):  # the worker says so first, and asks then
        if held:
            break
        page.wait_for_timeout(20)
    assert held
    assert page.locator("#train").is_visible() and page.locator("#train").is_disabled()
    assert page.locator("#pad").is_visible() and page.locator("#source:visible, .code-editor:visible").count() == 1
