// Draws the maze: walls where no way leads on, a disc for the player, a ring for the exit.

/** `maze`: { size, ways: for each cell by rows the commands that lead out of it, player, exit }. */
export function drawMaze(canvas, { size, ways, player, exit }) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const context = canvas.getContext("2d");
  const cell = canvas.width / size;
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.strokeStyle = colour("--ink");
  context.lineWidth = 5;
  context.lineCap = "round";
  ways.forEach((open, i) => {
    const x = (i % size) * cell, y = Math.floor(i / size) * cell;
    const edges = { up: [x, y, x + cell, y], down: [x, y + cell, x + cell, y + cell], left: [x, y, x, y + cell], right: [x + cell, y, x + cell, y + cell] };
    for (const [command, [x0, y0, x1, y1]] of Object.entries(edges)) {
      if (open.includes(command)) continue;
      context.beginPath();
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
      context.stroke();
    }
  });
  const place = ([row, column], radius) => {
    context.beginPath();
    context.arc((column + 0.5) * cell, (row + 0.5) * cell, radius * cell, 0, 2 * Math.PI);
  };
  place(exit, 0.28);
  context.strokeStyle = colour("--wrong");
  context.lineWidth = 7;
  context.stroke();
  place(player, 0.24);
  context.fillStyle = colour("--accent");
  context.fill();
  canvas.setAttribute("aria-label", `Maze of ${size} by ${size}: you are in row ${player[0] + 1}, column ${player[1] + 1}; the exit is in row ${exit[0] + 1}, column ${exit[1] + 1}. Ways: ${ways[player[0] * size + player[1]].join(", ")}.`);
}
