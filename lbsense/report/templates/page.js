"use strict";
// Rows by where a point leads, and their tables: those of a long history are on its page
// only while they are looked at.
const rowAt = new Map();
const tableOf = new Map();
const PAGE = 200;
const node = (tag, name, text) => {
  const item = document.createElement(tag);
  if (name) item.className = name;
  if (text) item.textContent = text;
  return item;
};
// A row of a long history: texts, or text, order, note, sentence and verdict.
const build = (cells, number, { signs, numeric }) => {
  const row = node("tr");
  row.id = `s${number}`;
  cells.forEach((cell, column) => {
    const [text, order, note, sentence, kind] = Array.isArray(cell) ? cell : [cell];
    const names = [text === "-" && "none", numeric[column] && "number"];
    const item = node(column ? "td" : "th", names.filter(Boolean).join(" "));
    if (order != null) item.dataset.order = order;
    else if (numeric[column] && text !== "-") item.dataset.order = text.replace(/^[#+]+/, "");
    if (!column) {
      item.scope = "row";
      item.append(node("a", "", text));
      item.firstChild.href = "#timeline";
    } else if (kind) {
      const word = node("span", `verdict ${kind}`);
      const sign = node("span", "", signs[kind]);
      sign.setAttribute("aria-hidden", "true");
      word.dataset.verdict = kind;
      word.append(sign, ` ${text}`);
      item.append(word);
    } else item.append(text);
    if (note) item.append(node("small", "", note));
    if (sentence) {
      const details = node("details");
      details.append(node("summary", "", "why"), node("p", "", sentence));
      item.append(details);
    }
    row.append(item);
  });
  return row;
};
// But for the rows of a long table the page is whole without this: it adds sorting and filtering of the table of steps,
// what a point says under the pointer, and pictures as files.
for (const table of document.querySelectorAll("table.interactive")) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const rest = table.parentElement.querySelector("script[type='application/json']");
  if (rest) {
    const more = JSON.parse(rest.textContent);
    more.rows.forEach((cells) => rows.push(build(cells, rows.length + 1, more)));
  }
  const given = [...rows];
  for (const row of rows) {
    rowAt.set(`#${row.id}`, row);
    tableOf.set(row, table);
  }
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
    given.slice().sort(compare).forEach((row, place) => (rows[place] = row));
    if (rest) filter();
    else body.append(...rows);
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
  let matching = rows, page = 0;
  const pages = node("p", "pages");
  const turn = (to) => {
    const last = Math.max(0, Math.ceil(matching.length / PAGE) - 1);
    page = Math.min(Math.max(to, 0), last);
    body.replaceChildren(...matching.slice(page * PAGE, (page + 1) * PAGE));
    const [back, told, on] = pages.childNodes;
    back.disabled = page === 0;
    on.disabled = page === last;
    told.textContent = ` page ${page + 1} of ${last + 1} `;
  };
  for (const [name, by] of [["Back", -1], ["", 0], ["Next", 1]]) {
    const item = name ? node("button", "", name) : node("span");
    if (name) item.type = "button";
    item.addEventListener("click", () => turn(page + by));
    pages.append(item);
  }
  if (rest) table.parentElement.after(pages);
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
    matching = rows.filter((row) => !row.hidden);
    if (rest) turn(0);
    shown.textContent = `${count} of ${rows.length} shown`;
  };
  find.addEventListener("input", filter);
  boxes.forEach((box) => box.addEventListener("change", filter));
  filters.hidden = false;
  filter();
  // A row that a point leads to is shown whatever was filtered out.
  table.addEventListener("reveal", ({ detail: row }) => {
    if (row.hidden) {
      find.value = "";
      for (const box of boxes) box.checked = true;
      filter();
    }
    if (rest) turn(Math.floor(matching.indexOf(row) / PAGE));
  });
}

// What a point says: under the pointer, with the focus, at the first touch.
const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
tip.setAttribute("aria-hidden", "true");
document.body.append(tip);
let lit = null;
const hide = () => {
  lit?.classList.remove("lit");
  lit = null;
  tip.hidden = true;
};
// The facts of a submission, as its row has them.
const facts = (link) => {
  const row = rowAt.get(link.getAttribute("href"));
  if (!row) return [link.getAttribute("aria-label")];
  const titles = Array.from(tableOf.get(row).tHead.rows[0].cells, (c) => c.dataset.title);
  const cell = (title) => row.cells[titles.indexOf(title)]?.firstChild?.textContent ?? "-";
  const scores = ["Public", "CV", "Private", "P(gain)"]
    .filter((title) => cell(title) !== "-")
    .map((title) => `${title} ${cell(title)}`);
  return [
    `#${cell("#")} ${cell("Submission")}`,
    [cell("Verdict").replace(/^\S+ /, ""), ...scores].join(", "),
    row.querySelector("details p")?.textContent,
  ];
};
const show = (link) => {
  if (link === lit) return;
  hide();
  lit = link;
  link.classList.add("lit");
  const lines = [...facts(link), "Click for its row."];
  tip.replaceChildren(
    ...lines.filter(Boolean).map((line) => {
      const item = document.createElement("p");
      item.textContent = line;
      return item;
    }),
  );
  tip.hidden = false;
  const point = link.getBoundingClientRect();
  const edge = document.documentElement.clientWidth - tip.offsetWidth - 8;
  const left = Math.max(8, Math.min(point.left + 14, edge));
  const below = point.bottom + 10 + tip.offsetHeight < innerHeight;
  const top = below ? point.bottom + 10 : point.top - 10 - tip.offsetHeight;
  tip.style.left = `${left + scrollX}px`;
  tip.style.top = `${Math.max(top, 4) + scrollY}px`;
};
const came = new Map();
const follow = (link) => {
  const row = rowAt.get(link.getAttribute("href"));
  if (!row) return;
  if (row.hidden || !row.isConnected) {
    tableOf.get(row).dispatchEvent(new CustomEvent("reveal", { detail: row }));
  }
  came.set(row, link);
  hide();
  location.hash = link.getAttribute("href");
  row.querySelector("th a")?.focus({ preventScroll: true });
};
for (const svg of document.querySelectorAll("svg.plot")) {
  const number = (link) => Number(link.getAttribute("href").slice(2));
  const links = Array.from(svg.querySelectorAll("a"));
  if (!links.length) continue;
  const named = (link) => {
    const title = link.querySelector("title");
    link.setAttribute("aria-label", title.textContent);
    title.remove(); // or the browser shows it beside the other
    link.setAttribute("tabindex", "-1");
    link.addEventListener("focus", () => show(link));
    link.addEventListener("blur", hide);
  };
  links.forEach(named);
  // One stop for Tab; arrows go from one submission to the next.
  const stops = Array.from(new Map(links.map((link) => [number(link), link])).values());
  stops.sort((a, b) => number(a) - number(b));
  stops[0].setAttribute("tabindex", "0");
  stops.forEach((link, index) => {
    link.addEventListener("focus", () => {
      for (const other of stops) other.setAttribute("tabindex", other === link ? "0" : "-1");
    });
    link.addEventListener("keydown", (event) => {
      const next = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: stops.length - 1 };
      const target = stops[next[event.key]];
      if (!target) return;
      event.preventDefault();
      target.focus();
    });
  });
  let places = null;
  const nearest = (event) => {
    places ??= links.map((link) => {
      const box = link.getBBox();
      return [box.x + box.width / 2, box.y + box.height / 2];
    });
    const matrix = svg.getScreenCTM();
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    // Where submissions stand in their order, all that is above or below is theirs.
    const slope = svg.dataset.by === "x" ? 0.1 : 1;
    let [found, best] = [null, (slope < 1 ? 14 : 22) / matrix.a];
    places.forEach(([x, y], index) => {
      const far = Math.hypot(x - at.x, slope * (y - at.y));
      if (far < best) [found, best] = [links[index], far];
    });
    return found;
  };
  svg.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch") return;
    const link = nearest(event);
    svg.style.cursor = link ? "pointer" : "";
    if (link) show(link);
    else hide();
  });
  svg.addEventListener("pointerleave", (event) => {
    if (event.pointerType !== "touch") hide();
  });
  let kind = "", before = null;
  svg.addEventListener("pointerdown", (event) => {
    [kind, before] = [event.pointerType, lit];
    if (kind === "mouse") event.preventDefault(); // the focus goes where the click leads
  });
  svg.addEventListener("click", (event) => {
    const link = event.detail ? nearest(event) : event.target.closest("a");
    if (event.target.closest("a")) event.preventDefault();
    if (!link) hide();
    else if (kind === "touch" && event.detail && link !== before) show(link);
    else follow(link);
  });
}
addEventListener("keydown", (event) => {
  if (event.key === "Escape") hide();
});
// And back from the row to the point.
for (const table of document.querySelectorAll("table.interactive")) {
  table.addEventListener("click", (event) => {
    const back = event.target.closest("th[scope=row] a");
    if (!back) return;
    const row = back.closest("tr");
    const first = Array.from(document.querySelectorAll(`svg a[href="#${row.id}"]`)).find(
      (link) => link.getClientRects().length,
    );
    const link = came.get(row)?.getClientRects().length ? came.get(row) : first;
    if (!link) return;
    event.preventDefault();
    history.pushState(null, "", back.getAttribute("href"));
    link.closest("figure").scrollIntoView({ block: "nearest" });
    link.focus({ preventScroll: true });
  });
}

// A picture as a file, in light colours, whatever the page has.
const alone = (svg) => {
  const copy = svg.cloneNode(true);
  for (const link of copy.querySelectorAll("a")) link.replaceWith(...link.childNodes);
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  const make = (name, values) => {
    const item = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(values)) item.setAttribute(key, value);
    return item;
  };
  const ground = make("rect", { x: -12, y: -8, width: width + 24, height: height + 16 });
  ground.setAttribute("style", "fill:var(--plot-surface)");
  const style = make("style", {});
  style.textContent = document.getElementById("plot-style").textContent;
  copy.prepend(style, ground);
  copy.setAttribute("viewBox", `-12 -8 ${width + 24} ${height + 16}`);
  copy.setAttribute("width", width + 24);
  copy.setAttribute("height", height + 16);
  return new XMLSerializer().serializeToString(copy);
};
const give = (name, href) => {
  const link = document.createElement("a");
  Object.assign(link, { download: name, href });
  link.click();
};
const savers = {
  SVG: (name, text) => give(`${name}.svg`, text),
  PNG: (name, text) => {
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [2 * image.width, 2 * image.height];
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      give(`${name}.png`, canvas.toDataURL("image/png"));
    };
    image.src = text;
  },
};
for (const figure of document.querySelectorAll("figure[data-name]")) {
  const line = document.createElement("p");
  line.className = "save";
  line.append("Save as ");
  for (const [kind, save] of Object.entries(savers)) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = kind;
    button.setAttribute("aria-label", `Save this picture as ${kind}`);
    button.addEventListener("click", () => {
      const text = alone(figure.querySelector("svg.plot"));
      save(figure.dataset.name, `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`);
    });
    line.append(button, " ");
  }
  figure.append(line);
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
