"""web/media.js and web/frames.js in a page without Python: every failure has its name, devices are released, frames dropped."""

import pytest

from .media_files import RECORD, sensing
from .python_page import BLANK

TRY = """async ([kind, options]) => {
  const { local } = await import("/web/media.js");
  return local(kind).open(options ?? {});
}"""


@pytest.fixture(scope="module")
def chromium(driver, tmp_path_factory):
    with sensing(driver, tmp_path_factory.mktemp("media")) as started:
        yield started


@pytest.fixture(scope="module")
def bare(chromium, site):
    """A page whose devices may be used."""
    context = chromium.new_context(permissions=["camera", "microphone"])
    context.add_init_script(RECORD)
    page = context.new_page()
    page.goto(site + BLANK)
    yield page
    context.close()


@pytest.mark.parametrize("kind", ["camera", "microphone"])
def test_a_frame_that_may_not_use_a_device_is_named(bare, site, kind):
    bare.evaluate("""async ([address, kind]) => {
      const frame = Object.assign(document.createElement("iframe"), { src: address, name: kind, allow: `${kind} 'none'` });
      await new Promise((resolve) => { frame.onload = resolve; document.body.append(frame); });
    }""", [site + BLANK, kind])
    found = bare.frame(name=kind).evaluate(TRY, [kind])
    assert found["failed"] == "policy" and f'add allow="{kind}" to the <iframe>' in found["message"]


@pytest.mark.parametrize("kind", ["camera", "microphone"])
def test_a_machine_without_a_device_is_named(browser, site, kind):
    context = browser.new_context(permissions=["camera", "microphone"])
    page = context.new_page()
    page.goto(site + BLANK)
    assert page.evaluate(TRY, [kind]) == {"failed": "missing", "message": f"There is no {kind}; plug one in and try again."}
    context.close()


def test_a_page_without_https_is_named(chromium, site):
    context = chromium.new_context()
    page = context.new_page()
    context.route("http://pyml.test/**", lambda route: route.fulfill(response=context.request.get(site + route.request.url[16:])))
    page.goto(f"http://pyml.test{BLANK}")
    found = page.evaluate(TRY, ["camera"])
    assert found == {"failed": "insecure", "message": "Browsers give the camera only to pages from https:// or localhost."}
    context.close()


BROKEN = """async () => {
  const { local, remote, serve } = await import("/web/media.js");
  const real = navigator.mediaDevices.getUserMedia;
  const given = (stream) => {
    navigator.mediaDevices.getUserMedia = async () => {
      if (stream instanceof Error) throw stream;
      tracks.push(...stream.getTracks());
      return stream;
    };
  };
  const found = {};
  given(new DOMException("in use", "NotReadableError"));
  found.busy = await local("camera").open({});
  given(document.createElement("canvas").captureStream(0));             // no picture ever comes
  const silent = local("camera").open({});
  await new Promise((resolve) => { setTimeout(resolve); });
  navigator.mediaDevices.getUserMedia = real;
  const Context = AudioContext;
  window.AudioContext = class extends Context { get state() { return "suspended"; } };
  const gesture = local("microphone").open({ fftSize: 1024, smoothing: 0 });
  const foreign = new Worker(URL.createObjectURL(new Blob([`
    import("${location.origin}/web/media.js").then(async ({ remote }) => postMessage({ found: await remote("camera").open({}) }));`],
    { type: "text/javascript" })));
  const page = new Promise((resolve) => { foreign.onmessage = ({ data }) => { if (data.found) resolve(data.found); }; });
  Object.assign(found, { silent: await silent, gesture: await gesture, page: await page });
  window.AudioContext = Context;
  Object.defineProperty(navigator, "mediaDevices", { value: undefined, configurable: true });
  found.unsupported = await local("microphone").open({});
  delete navigator.mediaDevices;
  return found;
}"""


@pytest.mark.slow
def test_every_other_failure_is_named_in_bounded_time_and_releases_the_device(bare):
    found = bare.evaluate(BROKEN)
    assert {kind: result["failed"] for kind, result in found.items()} == {kind: kind for kind in found}
    assert found["busy"]["message"] == "The camera could not be started; another program may be using it. (in use)"
    assert "waits for a click" in found["gesture"]["message"] and "offers no microphone" in found["unsupported"]["message"]
    assert "gives nothing" in found["silent"]["message"] and "web/pyml.js" in found["page"]["message"]
    assert bare.evaluate("[live(), tracks.length]") == [0, 2]


WATCH = """async () => {
  const { openCamera, closeVideo, watch } = await import("/web/frames.js");
  const video = document.createElement("video");
  await openCamera(video);
  const found = { atOnce: 0, calls: 0, shown: 0, reports: [] };
  (function count() { video.requestVideoFrameCallback(() => { found.shown += 1; count(); }); })();
  let now = 0;
  const stop = watch(video, async () => {
    found.calls += 1;
    found.atOnce = Math.max(found.atOnce, ++now);
    const until = found.shown + 5;                                     // slower than the camera by five frames
    while (found.shown < until) await new Promise((resolve) => { setTimeout(resolve, 5); });
    now -= 1;
  }, (pace) => { found.reports.push(pace); });
  while (found.reports.length < 2) await new Promise((resolve) => { setTimeout(resolve, 20); });
  stop();
  found.calls = [found.calls, found.shown];
  closeVideo(video);
  return { ...found, left: live() };
}"""


def test_frames_that_nobody_has_time_for_are_dropped_and_counted_and_never_queued(bare):
    found = bare.evaluate(WATCH)
    calls, shown = found["calls"]
    assert found["atOnce"] == 1 and calls <= shown / 5 + 1 and found["left"] == 0
    assert all(pace["fps"] > 0 and pace["latency"] > 0 and pace["dropped"] > 0 for pace in found["reports"])
