// A ward on one sheet: read on a screen, carried on paper. Everything as text.

const STALE_AFTER_MS = 20_000;
const sheets = new WeakMap();

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".root");
  followTheme(root, parentElement);
  const sheet = sheets.get(root) ?? makeSheet(root);
  sheets.set(root, sheet);
  if (data.shown_time !== sheet.time) sheet.heard = moment();
  sheet.time = data.shown_time;
  paintSheet(sheet, data);
  const generation = ++sheet.generation;
  sheet.timer ??= setInterval(() => tick(sheet), 1000);
  return () => {
    if (sheet.generation !== generation) return;
    clearInterval(sheet.timer);
    sheet.timer = null;
  };
}

function tick(sheet) {
  const lost = since(sheet.heard) > STALE_AFTER_MS;
  sheet.root.classList.toggle("not-live", lost);
  setText(sheet.parts.lost, lost
    ? `NOT LIVE since ${sheet.time}: what you see may be old. Do not hand over from it.` : "");
}

function makeSheet(root) {
  const parts = {
    lost: el("div", { class: "lost", role: "alert" }),
    title: el("h1"),
    live: el("span", { class: "dim" }),
    summary: el("p", { class: "summary" }),
    body: el("div", { class: "body" }),
  };
  const print = el("button", {
    class: "button print", type: "button", onclick: () => window.print(), text: "Print",
  });
  root.replaceChildren(parts.lost,
    el("header", { class: "top" }, parts.title, parts.live, print), parts.summary, parts.body);
  return { root, parts, shown: null, generation: 0, timer: null };
}

function paintSheet(sheet, data) {
  const { parts } = sheet;
  setText(parts.title, data.title);
  setText(parts.live, `read ${data.shown_time}`);
  setText(parts.summary, data.summary.join(" · "));
  const shown = JSON.stringify({ ...data, shown_time: "" });
  if (sheet.shown === shown) return;
  sheet.shown = shown;
  parts.body.replaceChildren(...[
    data.loud.length ? lines("loud-lines", data.loud) : null,
    dutySection(data.duties),
    flapSection(data),
    data.outcomes.length ? listSection("Outcome not recorded", data.outcomes) : null,
    listSection("Last handovers", data.last.length ? data.last : ["None is recorded here yet."]),
    signSection(),
  ].filter(Boolean));
}

const lines = (name, texts) =>
  el("ul", { class: name, role: "list" }, ...texts.map((text) => el("li", { text })));

const listSection = (title, texts) =>
  el("section", { class: "list" }, el("h2", { text: title }), lines("lines", texts));

function dutySection(duties) {
  const rows = duties.map(({ level, now, next, gap }) => el("div", { class: "duty" },
    el("dt", { text: level }),
    el("dd", { class: gap ? "loud" : null, text: now }),
    el("dd", { class: "dim", text: `then ${next}` })));
  return el("section", { class: "duties" }, el("h2", { text: "On call" }), el("dl", {}, ...rows));
}

/** A table, so that the line with the time and the name heads every printed page. */
function flapSection(data) {
  if (!data.flaps.length) return el("p", { class: "empty dim", text: data.empty_text });
  const head = el("tr", { role: "row" },
    el("th", { colspan: "2", role: "columnheader", text: data.printed }));
  return el("table", { class: "flaps", role: "table", "aria-label": "Flaps, worst first" },
    el("thead", { role: "rowgroup" }, head),
    el("tbody", { role: "rowgroup" }, ...data.flaps.map(flapRow)));
}

function flapRow(flap) {
  const facts = flap.facts.map(({ label, text, tone }) => el("div", { class: `fact ${tone}` },
    el("dt", { text: label }), el("dd", { text })));
  return el("tr", { role: "row", "data-severity": flap.severity, "data-flap": flap.flap_id },
    el("th", { scope: "row", role: "rowheader" },
      el("p", { class: "how" }, icon(SEVERITY_SHAPES[flap.severity], 24, "0 0 32 32"),
        el("span", {}, el("b", { text: flap.word }),
          flap.pattern ? el("span", { class: "pattern", text: flap.pattern }) : null)),
      el("p", { class: "who" }, el("b", { text: flap.bed }), ` · ${flap.name}`),
      el("p", { class: "ids", text: `MRN ${flap.mrn} · ${flap.born}` }),
      el("p", { class: "label", text: flap.label }),
      el("p", { class: "dim", text: flap.hours }),
      flap.namesake
        ? el("p", { class: "namesake" }, warningIcon(16), el("span", { text: flap.namesake }))
        : null),
    el("td", { role: "cell" }, el("dl", {}, ...facts)));
}

const signSection = () => el("section", { class: "sign" },
  el("p", { text: "Given by ______________________" }),
  el("p", { text: "Accepted by ______________________" }),
  el("p", { text: "Time __________" }));
