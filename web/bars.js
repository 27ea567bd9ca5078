// A list of labelled bars, for probabilities. The list keeps its items, so that bars move and screen readers stay put.

/** Shows `[{ name, share }]` with shares 0..1 in an `<ol class="bars">`; a share of null leaves the bar empty. */
export function showBars(list, entries) {
  while (list.children.length > entries.length) list.lastElementChild.remove();
  while (list.children.length < entries.length) list.append(bar());
  const shares = entries.map(({ share }) => share).filter((share) => share !== null);
  const best = shares.length ? Math.max(...shares) : null;
  entries.forEach(({ name, share }, i) => {
    const [label, track, number] = list.children[i].children;
    list.children[i].classList.toggle("best", best !== null && share === best);
    label.textContent = name;
    track.firstElementChild.style.transform = `scaleX(${share ?? 0})`;
    number.textContent = share === null ? "" : `${(100 * share).toFixed(0)}%`;
  });
}

function bar() {
  const item = document.createElement("li");
  const [label, track, fill, number] = ["name", "track", "fill", "share"].map((name) => {
    const part = document.createElement("span");
    part.className = name;
    return part;
  });
  fill.style.display = "block";
  track.setAttribute("aria-hidden", "true");
  track.append(fill);
  item.append(label, track, number);
  return item;
}
