"use strict";
// The page is whole without this: it adds sorting and filtering of the table of steps.
for (const table of document.querySelectorAll("table.interactive")) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const key = (row, column) => {
    const cell = row.cells[column];
    const order = cell.dataset.order;
    return order === undefined ? null : Number(order);
  };
  const text = (row, column) => row.cells[column].firstChild?.textContent ?? "";
  const sort = (header, column) => {
    const up = header.getAttribute("aria-sort") !== "ascending";
    const sign = up ? 1 : -1;
    const numeric = rows.some((row) => key(row, column) !== null);
    const compare = (a, b) => {
      if (!numeric) return sign * text(a, column).localeCompare(text(b, column));
      const [x, y] = [key(a, column), key(b, column)];
      if (x === null || y === null) return (x === null) - (y === null);
      return sign * (x - y);
    };
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", up ? "ascending" : "descending");
    body.append(...[...rows].sort(compare));
  };
  Array.from(table.tHead.rows[0].cells).forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = header.dataset.title = header.textContent;
    button.addEventListener("click", () => sort(header, column));
    header.replaceChildren(button);
  });

  const filters = table.closest("section").querySelector(".filters");
  if (!filters) continue;
  const find = filters.querySelector("input[type=search]");
  const boxes = Array.from(filters.querySelectorAll("input[type=checkbox]"));
  const shown = filters.querySelector(".shown");
  const filter = () => {
    const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const needle = find.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      const verdict = row.querySelector(".verdict");
      const kind = verdict?.dataset.verdict ?? "";
      const fits = wanted.has(kind) && row.textContent.toLowerCase().includes(needle);
      row.hidden = !fits;
      count += fits;
    }
    shown.textContent = `${count} of ${rows.length} shown`;
  };
  find.addEventListener("input", filter);
  boxes.forEach((box) => box.addEventListener("change", filter));
  filters.hidden = false;
  filter();
}
// Paper cannot be unfolded.
const folded = [];
window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not([open])")) {
    details.open = true;
    folded.push(details);
  }
});
window.addEventListener("afterprint", () => {
  for (const details of folded.splice(0)) details.open = false;
});
