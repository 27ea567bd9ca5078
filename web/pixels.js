// The pixels of a page's pictures: of pyml/browser/page.py, which reads this file, and of exported models (web/exported).
//
// A plain script whose value is { straight, read, … }. What is wrong is told as { failed, more }; the callers have the words.
(() => {
  let context = null;                                  // of the canvas for reading
  let sheet = null;                                    // of the opaque canvas that the GPU copies from
  const READ = ["ImageData", "HTMLCanvasElement", "OffscreenCanvas", "ImageBitmap", "HTMLImageElement", "HTMLVideoElement", "VideoFrame"];
  const kind = (x) => Object.prototype.toString.call(x).slice(8, -1);
  const fail = (what, more) => ({ failed: what, more: more ?? "" });

  function reader(width, height) {
    if (context === null) {
      const canvas = typeof document === "object" ? document.createElement("canvas") : new OffscreenCanvas(1, 1);
      context = canvas.getContext("2d", { willReadFrequently: true });
    }
    const { canvas } = context;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    else context.clearRect(0, 0, width, height);
    return context;
  }

  function drawn(source, width, height) {
    if (!(width > 0 && height > 0)) return fail("empty", `${width}x${height}`);
    const from = reader(width, height);
    try {
      from.drawImage(source, 0, 0, width, height);
      return { width, height, data: from.getImageData(0, 0, width, height).data };
    } catch (error) {
      if (error.name === "SecurityError") context = null;  // this canvas is tainted for good
      throw error;
    }
  }

  // What `read` gives as bytes, as something that WebGPU can copy; undefined where the bytes could differ.
  //  - Transparent pictures are kept multiplied by their alpha. Dividing by it again rounds otherwise on the GPU than in
  //    getImageData (one byte in 350 of all pairs of colour and alpha in Chromium 156 on software, more on an accelerated
  //    canvas), and an ImageBitmap does not tell whether it is multiplied at all. So only what is opaque goes this way.
  //  - Videos are drawn on an opaque canvas first: that converts their colours as `drawn` does. importExternalTexture and a
  //    copy from the frame itself convert them anew and miss by up to 200 of 255 where colours change (NV12).
  //  - Nothing is scaled here, and no more than 8 bits are brought down to 8: the GPU and the processor may do that
  //    differently.
  function straight(x, opaque) {
    try {
      switch (kind(x)) {
        case "HTMLCanvasElement":
        case "OffscreenCanvas": return opaqueCanvas(x);
        // > left out of exported models
        case "ImageBitmap": return opaque ? onSheet(x, x.width, x.height) : undefined;
        // <
        case "VideoFrame": return opaqueFrame(x) ? onSheet(x, x.displayWidth, x.displayHeight) : undefined;
        case "HTMLVideoElement": {
          if (x.readyState < 2) return undefined;
          const frame = new VideoFrame(x);             // 10 µs: it shares the pixels
          const fits = opaqueFrame(frame) && frame.displayWidth === x.videoWidth && frame.displayHeight === x.videoHeight;
          frame.close();
          return fits ? onSheet(x, x.videoWidth, x.videoHeight) : undefined;
        }
      }
    } catch { /* `read` says what is wrong, if it cannot read this either */ }
    return undefined;
  }

  function onSheet(source, width, height) {
    if (!(width > 0 && height > 0)) return undefined;
    sheet ??= new OffscreenCanvas(width, height).getContext("2d", { alpha: false });
    const { canvas } = sheet;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    sheet.drawImage(source, 0, 0, width, height);
    return { width, height, source: canvas };
  }

  function opaqueFrame(frame) {                        // of 8 bits; a format of null is one that the browser does not tell
    const { format, visibleRect, displayWidth, displayHeight } = frame;
    return /^(I4\d\d|NV12|RGBX|BGRX)$/.test(format) && visibleRect.width === displayWidth && visibleRect.height === displayHeight;
  }

  function opaqueCanvas(canvas) {
    const { width, height } = canvas;
    if (!(width > 0 && height > 0)) return undefined;
    const own = canvas.getContext("2d");
    const { alpha, colorSpace, colorType } = (own ?? canvas.getContext("webgl2") ?? canvas.getContext("webgl")).getContextAttributes();
    if (alpha !== false) return undefined;
    if (own === null) return onSheet(canvas, width, height);
    return (colorSpace ?? "srgb") === "srgb" && (colorType ?? "unorm8") === "unorm8" ? { width, height, source: canvas } : undefined;
  }

  function canvasPixels(canvas) {
    const { width, height } = canvas;
    if (!(width > 0 && height > 0)) return fail("empty", `${width}x${height}`);
    let own = null;
    try { own = canvas.getContext("2d"); } catch { /* it was handed to a worker: only what it shows can be read */ }
    if (own === null) return drawn(canvas, width, height);
    return { width, height, data: own.getImageData(0, 0, width, height).data };
  }

  function read(x) {
    switch (kind(x)) {
      case "ImageData": return { width: x.width, height: x.height, data: x.data };
      case "HTMLCanvasElement":
      case "OffscreenCanvas": return canvasPixels(x);
      case "ImageBitmap": return x.width ? drawn(x, x.width, x.height) : fail("closed");
      case "HTMLImageElement":
        return x.complete && x.naturalWidth ? drawn(x, x.width, x.height) : fail("image", x.complete ? "broken" : "loading");
      case "HTMLVideoElement": return x.readyState >= 2 ? drawn(x, x.videoWidth, x.videoHeight) : fail("video");
      case "VideoFrame": return x.codedWidth ? drawn(x, x.displayWidth, x.displayHeight) : fail("closed");
    }
    // > left out of exported models
    if (ArrayBuffer.isView(x?.data) && x.width > 0 && x.height > 0) return { width: x.width, height: x.height, data: x.data };
    return fail("kind", kind(x));
    // <
  }

  return {
    straight,
    isPicture: (x) => READ.includes(kind(x)),
    read(x) {
      try { return read(x); }
      catch (error) {
        if (error.name !== "SecurityError") return fail("other", error.message);
        sheet = null;                                  // it may have been drawn on that too
        return fail("tainted", error.message);
      }
    },
    // > left out of exported models
    isCanvas: (x) => ["HTMLCanvasElement", "OffscreenCanvas"].includes(kind(x)),
    draw(canvas, bytes, width, height, attributes) {
      try {
        const context = canvas.getContext("2d", attributes);
        if (context === null) return "it is used for another kind of drawing already";
        Object.assign(canvas, { width, height });
        const pixels = new Uint8ClampedArray(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        context.putImageData(new ImageData(pixels, width, height), 0, 0);
        return "";
      } catch (error) { return error.message; }
    },
    // a hidden page paints nothing; then a second passes
    frame: () => new Promise((resolve) => {
      globalThis.requestAnimationFrame?.(resolve);
      setTimeout(resolve, globalThis.requestAnimationFrame ? 1000 : 16);
    }),
    // <
  };
})();
