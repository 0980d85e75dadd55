// Sections of labelled facts, everything as text.

const factSheets = new WeakMap();

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".root");
  followTheme(root, parentElement);
  const shown = JSON.stringify(data);
  if (factSheets.get(root) === shown) return;
  factSheets.set(root, shown);
  root.replaceChildren(el("div", { class: "facts-grid" }, ...data.sections.map(sectionNode)));
}

function sectionNode({ title, facts, empty, note }) {
  const rows = facts.map(({ label, text }) => el("div", {}, el("dt", { text: label }), el("dd", { text })));
  return el("section", {}, el("h3", { text: title }),
    rows.length ? el("dl", {}, ...rows) : el("p", { class: "dim", text: empty }),
    note ? el("p", { class: "dim note", text: note }) : null);
}
