// One flap on the board: severity as shape, word and colour; who; why; trend; times; actions.

const MARK = { stroke: "var(--mark)", "stroke-width": 3.3, "stroke-linecap": "round" };
const RING = { ...LINE, cx: 16, cy: 16, r: 13, "stroke-width": 3 };
const SEVERITY_SHAPES = {
  red: [
    ["path", { fill: "currentColor", d: "M10 1h12l9 9v12l-9 9H10l-9-9V10z" }],
    ["path", { ...MARK, d: "M16 8v10M16 23.6v.2" }],
  ],
  amber: [
    ["path", { fill: "currentColor", d: "M16 2l15 27H1z" }],
    ["path", { ...MARK, d: "M16 11v9M16 24.6v.2" }],
  ],
  yellow: [
    ["path", { fill: "currentColor", d: "M16 1l15 15-15 15L1 16z" }],
    ["path", { ...MARK, d: "M16 9v8M16 22.4v.2" }],
  ],
  none: [
    ["circle", RING],
    ["path", { ...LINE, "stroke-width": 3, d: "M10 16.5l4 4 8-9" }],
  ],
  unknown: [
    ["circle", { ...RING, "stroke-width": 3, "stroke-dasharray": "4.6 3.6", "stroke-linecap": "butt" }],
    ["path", { ...LINE, "stroke-width": 2.6, d: "M12.4 12.8a3.7 3.7 0 1 1 5.6 3.2c-1.3.8-2 1.4-2 2.8M16 22.6v.1" }],
  ],
};
const STAR = "M12 3.2l2.7 5.6 6.1.8-4.5 4.2 1.1 6.1L12 17l-5.4 2.9 1.1-6.1L3.2 9.6l6.1-.8z";

function makeTile(board, flapId) {
  const parts = {
    shape: el("span", { class: "shape" }),
    word: el("span", { class: "word" }),
    pattern: el("small"),
    since: el("small"),
    heading: el("h2"),
    bed: el("b"),
    name: el("span"),
    ids: el("p", { class: "dim" }),
    namesake: el("p", { class: "namesake" }, warningIcon(16), "namesake on the ward"),
    why: el("p"),
    note: el("p", { class: "dim" }),
    plan: el("p", { class: "plan" }),
    recovered: el("p", { class: "recovered", text: "recovered, not closed" }),
    spark: el("div", { class: "trend" }),
    lastTime: el("span"),
    lastAgo: el("span", { class: "dim" }),
    due: el("div", { class: "due" }),
    dueWord: el("span", { class: "dim" }),
    dueText: el("b"),
    forWhom: [el("span", { class: "unseen" }), el("span", { class: "unseen" })],
    mineFor: el("span", { class: "unseen" }),
  };
  const press = (kind) => () => board.send(kind, flapId);
  parts.heading.append(parts.bed, " · ", parts.name);
  parts.due.append(parts.dueWord, parts.dueText);
  parts.mine = el(
    "button", { class: "button mine", type: "button", onclick: press("mine") },
    icon([["path", { ...LINE, d: STAR }]], 20), el("span", { text: "Mine" }), parts.mineFor,
  );
  const node = el(
    "li", { class: "tile", "data-flap": flapId },
    el("div", { class: "severity" }, parts.shape,
      el("div", {}, parts.word, parts.pattern, parts.since)),
    el("div", { class: "who" }, parts.heading, parts.ids, parts.namesake),
    el("div", { class: "why" }, parts.why, parts.note, parts.recovered, parts.plan),
    parts.spark,
    el("div", { class: "last" }, el("span", { class: "dim narrow", text: "last check " }),
      parts.lastTime, parts.lastAgo),
    parts.due,
    el("div", { class: "acts" },
      el("button", { class: "button primary", type: "button", onclick: press("record") },
        "Record check", parts.forWhom[0]),
      el("button", { class: "button", type: "button", onclick: press("open") },
        "Open", parts.forWhom[1]),
      parts.mine),
  );
  return { node, parts, tile: null };
}

/** Numbers stay with their units at the end of a line. */
const whole = (text) => text.replaceAll(" ", "\u00a0");

function paintTile(row, tile) {
  const before = row.tile;
  row.tile = tile;
  const { node, parts } = row;
  setAttribute(node, "data-severity", tile.severity);
  node.classList.toggle("unowned", tile.severity === "red" && !tile.plan_has);
  if (before?.severity !== tile.severity) {
    parts.shape.replaceChildren(icon(SEVERITY_SHAPES[tile.severity], 30, "0 0 32 32"));
  }
  const texts = {
    word: tile.word, pattern: tile.pattern, since: tile.since, bed: tile.bed, name: tile.name,
    ids: [whole(`MRN ${tile.mrn}`), tile.label, whole(tile.hours_text)].filter(Boolean).join(" · "),
    note: tile.note, plan: tile.plan,
    lastTime: tile.last?.time ?? "none", lastAgo: tile.last?.ago ?? "no check yet",
    mineFor: `, ${tile.name}, ${tile.label}`,
  };
  for (const [part, text] of Object.entries(texts)) setText(parts[part], text);
  for (const part of ["pattern", "since", "note", "plan"]) parts[part].hidden = texts[part] === "";
  parts.forWhom.forEach((span) => setText(span, ` for ${tile.name}, ${tile.label}`));
  parts.namesake.hidden = !tile.namesake;
  parts.recovered.hidden = !tile.recovered;
  parts.plan.classList.toggle("has", tile.plan_has);
  setAttribute(parts.mine, "aria-pressed", String(tile.mine));
  if (JSON.stringify(before?.why) !== JSON.stringify(tile.why)) paintWhy(parts.why, tile.why);
  if (JSON.stringify(before?.spark) !== JSON.stringify(tile.spark)) paintSpark(parts.spark, tile);
}

function paintWhy(node, phrases) {
  node.replaceChildren(
    ...phrases.map(({ text, strong }) => (strong ? el("strong", { text }) : el("span", { text }))),
  );
}

function paintSpark(node, { spark }) {
  const drawable = spark?.points.some(([, gap]) => gap !== null);
  const absent = () => el("span", { class: "dim", text: "no temperatures" });
  node.replaceChildren(drawable ? drawSpark(spark) : absent());
}
