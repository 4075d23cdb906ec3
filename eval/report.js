"use strict";
document.documentElement.classList.add("js");
const table = document.getElementById("queries");
if (table) {
  const bodies = [...table.tBodies];
  const words = bodies.map((body) => body.rows[0].textContent.toLowerCase());
  const heads = [...table.tHead.rows[0].cells];

  const key = (body, column) => {
    const cell = body.rows[0].cells[column];
    return "v" in cell.dataset ? Number(cell.dataset.v) : null;
  };
  heads.forEach((head, column) =>
    head.firstChild.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const way = down ? -1 : 1;
      const sorted = [...table.tBodies].sort((one, other) => {
        const [a, b] = [key(one, column), key(other, column)];
        if (a !== null && b !== null) return way * (a - b);
        if (a !== null || b !== null) return a === null ? 1 : -1; // what has no number is last, either way
        return way * one.rows[0].cells[column].textContent.localeCompare(other.rows[0].cells[column].textContent);
      });
      table.append(...sorted);
    }),
  );

  table.addEventListener("click", (event) => {
    const button = event.target.closest("button[aria-expanded]");
    if (!button) return;
    const open = button.getAttribute("aria-expanded") === "false";
    button.setAttribute("aria-expanded", String(open));
    document.getElementById(button.getAttribute("aria-controls")).classList.toggle("open", open);
  });

  const filter = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const narrow = () => {
    const wanted = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    bodies.forEach((body, at) => {
      body.hidden = !wanted.every((word) => words[at].includes(word));
      count += !body.hidden;
    });
    shown.textContent = wanted.length ? `${count} of ${bodies.length}` : "";
  };
  filter.addEventListener("input", narrow);
  narrow();
}
