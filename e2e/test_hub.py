"""`pyml.hub` in Chromium: networks from the page's own site, with progress, and from the browser's cache afterwards."""

import pytest

from pyml.hub import store

from .patience import patience
from .python_page import PythonPage

CLASSIFY = """
    import pyml
    from js import URL, createImageBitmap, fetch, location
    seen = []
    model = await pyml.hub.mobilenet_v1_async(progress=lambda here, total: seen.append([here, total]))
    answer = await fetch(str(URL.new("/models/photos/chelsea.png", location.origin)))
    picture = await createImageBitmap(await answer.blob())
    names = await model.classify_async(picture, top=3)
    {"names": names, "seen": seen, "device": pyml.config.device().name, "licence": model.licence}
"""
LOAD = """
    import pyml
    (await pyml.hub.mobilenet_v1_async()).licence
"""
# Puts other bytes of the same length in the place of the cached weights.
DAMAGE = """async () => {
  const cache = await caches.open("pyml-models");
  const keys = await cache.keys();
  for (const key of keys) {
    const size = (await (await cache.match(key)).arrayBuffer()).byteLength;
    await cache.put(key, new Response(new Uint8Array(size)));
  }
  return keys.map((key) => new URL(key.url).pathname);
}"""


@pytest.fixture(scope="module")
def models(site):
    """The site, if the network and the photos were fetched into it."""
    for name in ("mobilenet_v1", "photos"):
        if store.folder_of(name) is None:
            pytest.skip(f"{name} was not fetched; run `make models` or `pyml hub fetch {name}`")
    return site


@pytest.fixture
def visit(profile, models):
    """Opens the site again and again, at first with no network kept; `blocked=True` cuts the way to the networks, `absent=True`
    leaves them out of the site."""
    asked: list[str] = []
    pages: list = []
    fresh = [True]

    def open_page(blocked=False, absent=False):
        for page in pages:
            page.close()
        pages[:] = [page := profile.new_page()]
        page.set_default_timeout(patience())
        asked.clear()

        def route(route):
            asked.append(route.request.url)
            if blocked:
                route.abort()
            elif absent:
                route.fulfill(status=404)
            else:
                route.continue_()

        page.route("**/models/mobilenet_v1/**", route)
        python = PythonPage(page, models, "backend=wasm")
        if fresh and fresh.pop():
            python.page.evaluate("() => caches.delete('pyml-models')")
        python.asked = asked
        return python

    yield open_page
    for page in pages:
        page.close()


@pytest.mark.timeout(600)
def test_a_network_is_loaded_with_progress_and_is_there_offline_on_the_second_visit(visit):
    page = visit()
    first = page.run(CLASSIFY)
    assert first["device"] == "wasm" and first["licence"] == "Apache-2.0"
    assert [name for name, _ in first["names"]] == ["Egyptian cat", "tabby, tabby cat", "tiger cat"]
    assert abs(first["names"][0][1] - 0.53) < 0.05
    received = [here for here, _ in first["seen"]]
    assert received == sorted(received) and len(set(received)) > 3
    assert first["seen"][-1] == [8_634_157, 8_634_157]
    assert len(page.asked) == 2

    page = visit(blocked=True)
    second = page.run(CLASSIFY)
    assert second["names"] == first["names"]
    assert page.asked == []                            # nothing went over the wire

    kept = page.page.evaluate(DAMAGE)
    assert sorted(kept) == ["/models/mobilenet_v1/labels.json", "/models/mobilenet_v1/weights.safetensors"]
    page = visit()
    assert page.run(LOAD) == first["licence"]          # its numbers have the sum that they should have
    assert len(page.asked) == 2                        # what was damaged was loaded again


def test_a_network_that_is_not_on_the_site_is_named_in_a_sentence(visit):
    page = visit(absent=True)
    message = page.run("""
        import pyml
        try:
            await pyml.hub.mobilenet_v1_async()
            said = ""
        except pyml.hub.HubError as error:
            said = str(error)
        said
    """)
    assert message.startswith("hub: mobilenet_v1 (8.6 MB) is not part of this site: ")
    assert "/models/mobilenet_v1/weights.safetensors could not be loaded, the server answered 404" in message
    assert "pyml hub fetch mobilenet_v1" in message
