// The checks of a stay: one table body a check, its earlier versions as rows beneath it. Roles
// are written out, because the narrow layout would take the table away from screen readers.

const tables = new WeakMap();

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".root");
  followTheme(root, parentElement);
  const shown = JSON.stringify(data);
  const known = tables.get(root);
  if (known?.shown === shown) return;
  const state = { shown, every: known?.every ?? false };
  tables.set(root, state);
  paintTable(root, data, state);
}

function paintTable(root, data, state) {
  if (!data.rows.length) {
    root.replaceChildren(el("p", { class: "empty dim", text: data.empty_text }));
    return;
  }
  const rows = state.every ? data.rows : data.rows.slice(0, data.first);
  const heads = ["Time", "Found", "Signs", "By"].map((text) =>
    el("th", { scope: "col", role: "columnheader", text }));
  const table = el("table", { class: "checks", role: "table", "aria-label": "Checks, newest first" },
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads)), ...rows.map(bodyNode));
  const hidden = data.rows.length - rows.length;
  const more = el("button", {
    class: "button more", type: "button", text: `Show the ${hidden} before these`,
    onclick: () => {
      state.every = true;
      paintTable(root, data, state);
      root.querySelectorAll("tbody")[rows.length]?.querySelector("th")?.focus();
    },
  });
  root.replaceChildren(table, ...(hidden > 0 ? [more] : []));
}

function bodyNode(row) {
  if (row.kind === "missed") {
    return el("tbody", { role: "rowgroup" }, el("tr", { class: "missed", role: "row" },
      el("th", { class: "when", scope: "row", role: "rowheader", text: row.time }),
      el("td", { role: "cell", colspan: "3", text: row.word })));
  }
  return el("tbody", { role: "rowgroup", class: row.kind },
    el("tr", { role: "row" }, whenNode(row), foundNode(row), signsNode(row), byNode(row)),
    ...row.older.map((version) => el("tr", { class: "older", role: "row" },
      whenNode(version), el("td", { role: "cell", class: "said", text: version.said }),
      signsNode(version), byNode({ ...version, said: "" }))));
}

function whenNode({ time, marks }) {
  return el("th", { class: "when", scope: "row", role: "rowheader", tabindex: "-1" },
    el("b", { text: time }), ...marks.map((text) => el("span", { class: "tag", text })));
}

function foundNode(row) {
  const shape = el("span", { class: "shape" }, icon(SEVERITY_SHAPES[row.severity], 20, "0 0 32 32"));
  return el("td", { class: "found", role: "cell", "data-severity": row.severity },
    el("span", { class: "word" }, shape, el("span", { text: row.word })),
    row.because ? el("p", { text: row.because }) : null);
}

function signsNode({ signs, missing }) {
  const items = signs.map(({ label, value, tone }) =>
    el("li", { class: tone }, el("span", { class: "label", text: `${label} ` }), el("b", { text: whole(value) })));
  return el("td", { role: "cell" }, el("ul", { class: "signs", role: "list" }, ...items),
    missing ? el("p", { class: "dim", text: missing }) : null);
}

function byNode({ by, note, concern, said }) {
  return el("td", { class: "by", role: "cell" }, el("span", { text: by }),
    concern ? el("p", { class: "concern", text: concern }) : null,
    note ? el("p", { class: "note body-note", text: note }) : null,
    said ? el("p", { class: "said", text: said }) : null);
}
