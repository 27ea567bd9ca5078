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
    while not held:  # the worker says so first, and asks then
        page.wait_for_timeout(20)
    assert page.locator("#train").is_visible() and page.locator("#train").is_disabled()
    assert page.locator("#pad").is_visible() and page.locator("#source:visible, .code-editor:visible").count() == 1


@pytest.mark.parametrize("path", ["index.html", "demos/mnist/index.html"])
def test_a_page_paints_in_its_own_style_before_any_other_file_has_come(page, site, path):
    page.route(lambda url: not url.endswith(f"/{path}"), lambda route: None)  # answered never
    page.goto(f"{site}/{path}", wait_until="commit")
    page.wait_for_function(PAINTED)
    assert page.evaluate("performance.getEntriesByType('resource').every((file) => file.renderBlockingStatus !== 'blocking')")
    assert "system-ui" in page.evaluate("getComputedStyle(document.body).fontFamily")
    assert page.locator("h1").first.is_visible()


SEEN = "(name) => [...document.querySelectorAll(name)].some((one) => (one.closest('label') ?? one).checkVisibility())"
# what each page works on, and a button that waits
WORKS_ON = {
    "classify": ("#file", "#network"), "teachable": ("#camera", ".class input.text"), "pose": ("#camera", "#file"),
    "speech": ("#microphone", "#words"), "spectrogram": ("#microphone", "#melody"), "controller": ("#camera", "#drawn"),
    "regression": ("#target", "#train"), "cars": ("#code, .code-editor, textarea", "button"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("demo", WORKS_ON)
def test_a_page_shows_what_it_works_on_before_a_byte_of_python_has_come(page, site, demo):
    page.route("**/pyodide/**", lambda route: None)  # answered never
    page.goto(f"{site}/demos/{demo}/index.html?backend=cpu", wait_until="commit")
    page.wait_for_function(PAINTED)
    for control in WORKS_ON[demo]:
        page.locator(control).first.wait_for(state="attached")
        page.wait_for_function(SEEN, arg=control)
