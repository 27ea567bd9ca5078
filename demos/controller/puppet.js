// A disc on a noisy background that takes the place of somebody before a camera.

/** Draws on `canvas` all the time; the pointer, the keys of `arrows` or the returned function (of a command) move the disc. */
export function puppet(canvas, arrows) {
  const context = canvas.getContext("2d");
  const at = { x: 0.5, y: 0.5 };
  const to = { up: { x: 0.5, y: 0.25 }, down: { x: 0.5, y: 0.75 }, left: { x: 0.25, y: 0.5 }, right: { x: 0.75, y: 0.5 } };
  const noise = new ImageData(48, 48);
  const small = new OffscreenCanvas(48, 48);
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    Object.assign(at, { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height });
  });
  canvas.addEventListener("keydown", (event) => {
    if (!arrows[event.key]) return;
    event.preventDefault();
    Object.assign(at, to[arrows[event.key]]);
  });
  function draw(time) {
    requestAnimationFrame(draw);
    if (canvas.hidden) return;
    for (let i = 0; i < noise.data.length; i += 4) {
      noise.data[i] = noise.data[i + 1] = noise.data[i + 2] = 30 + 30 * Math.random();
      noise.data[i + 3] = 255;
    }
    small.getContext("2d").putImageData(noise, 0, 0);
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
    const sway = [0.02 * Math.sin(time / 310), 0.02 * Math.sin(time / 230)];
    context.beginPath();
    context.arc((at.x + sway[0]) * canvas.width, (at.y + sway[1]) * canvas.height, (0.16 + 0.01 * Math.sin(time / 500)) * canvas.width, 0, 2 * Math.PI);
    context.fillStyle = "#e3b98d";
    context.fill();
  }
  requestAnimationFrame(draw);
  return (command) => Object.assign(at, to[command]);
}
