// Alerts as cards, kept alert by alert through refreshes: what has not changed is not touched, so
// that focus, scroll and opened details stay where the reader left them.

const NOT_LIVE_AFTER_MS = 12_000;
const lists = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".root");
  followTheme(root, parentElement);
  const list = lists.get(root) ?? makeList(root);
  lists.set(root, list);
  list.send = (kind, card, minutes = 0) =>
    setTriggerValue("action", { kind, alert_id: card.id, flap_id: card.flap_id, minutes });
  if (data.shown_time !== list.time) list.heard = moment();
  list.time = data.shown_time;
  paintList(list, data);
  const generation = ++list.generation;
  const watched = data.shown_time !== "";
  if (watched) list.timer ??= setInterval(() => tick(list), 1000);
  return () => {
    // Streamlit may clean up after an older call than the latest; only the latest one ends it.
    if (list.generation !== generation) return;
    clearInterval(list.timer);
    list.timer = null;
  };
}

function tick(list) {
  const lost = since(list.heard) > NOT_LIVE_AFTER_MS;
  list.root.classList.toggle("not-live", lost);
  setText(list.parts.lost, lost
    ? `NOT LIVE since ${list.time}: what you see may be old. Look at the patient.` : "");
}

function makeList(root) {
  const parts = {
    lost: el("div", { class: "lost", role: "alert" }),
    title: el("h1"),
    summary: el("span"),
    live: el("span", { class: "dim" }),
    empty: el("p", { class: "empty dim" }),
    cards: el("ul", { class: "cards", role: "list", "aria-label": "Alerts, worst first" }),
    sound: soundButton(),
    news: el("div", { class: "unseen", "aria-live": "assertive" }),
  };
  parts.top = el("div", { class: "top" }, parts.title, parts.summary, parts.live, parts.sound);
  root.replaceChildren(parts.lost, parts.news, parts.top, parts.empty, parts.cards);
  return { root, parts, cards: new Map(), known: null, generation: 0, timer: null };
}

function paintList(list, data) {
  const { parts } = list;
  parts.top.hidden = data.title === "";
  setText(parts.title, data.title);
  setText(parts.summary, data.summary);
  setText(parts.live, data.shown_time ? `read ${data.shown_time}` : "");
  setText(parts.empty, data.empty_text);
  parts.empty.hidden = data.cards.length > 0;
  announce(list, data.cards);
  list.acting = data.acting;
  if (data.shown_time !== "") badge(data.unowned);
  const held = list.root.getRootNode().activeElement;
  const wanted = new Set(data.cards.map((card) => card.id));
  for (const [id, row] of list.cards) {
    if (wanted.has(id)) continue;
    row.node.remove();
    list.cards.delete(id);
  }
  data.cards.forEach((card, place) => {
    const row = list.cards.get(card.id) ?? makeCard();
    list.cards.set(card.id, row);
    paintCard(row, card, data.named, list);
    if (parts.cards.children[place] !== row.node) {
      parts.cards.insertBefore(row.node, parts.cards.children[place] ?? null);
    }
  });
  if (held && held.isConnected && list.root.getRootNode().activeElement !== held) {
    held.focus({ preventScroll: true });
  }
}

function announce(list, cards) {
  const before = list.known;
  list.known = new Set(cards.filter((card) => card.state === "open").map((card) => card.id));
  if (before === null) return;
  const fresh = cards.filter((card) => card.state === "open" && !before.has(card.id));
  const said = fresh.map((card) => `New ${card.word} alert: ${card.bed}, ${card.name}, ${card.flap}.`);
  if (said.length) setText(list.parts.news, said.join(" "));
}

const PARTS = ["header", "decide", "acts", "steps", "pictures", "table", "rest"];

function makeCard() {
  const parts = Object.fromEntries(PARTS.map((name) => [name, { shown: null }]));
  parts.header.node = el("header");
  parts.decide.node = el("div", { class: "decide-words" });
  parts.acts.node = el("div", { class: "acts" });
  parts.steps.node = el("div");
  parts.pictures.node = el("div");
  parts.table.node = el("div");
  parts.rest.node = el("div");
  const decide = el("div", { class: "decide" },
    parts.decide.node, parts.acts.node, parts.steps.node);
  const proof = el("div", { class: "proof" },
    parts.pictures.node, parts.table.node, parts.rest.node);
  const node = el("li", {}, el("article", { class: "card" }, parts.header.node, decide, proof));
  return { node, parts };
}

/** Each part is drawn again only when its own words changed. */
function paintCard(row, card, named, list) {
  const article = row.node.firstChild;
  setAttribute(article, "data-severity", card.severity);
  setAttribute(article, "data-state", card.state);
  setAttribute(article, "aria-label",
    `${card.word} alert, ${card.pattern}, ${card.bed}, ${card.name}, ${card.flap}`);
  row.card = card;
  const draw = {
    header: [[card.severity, card.word, card.pattern, card.state, card.bed, card.name, card.mrn,
      card.flap, card.namesake, card.since, named], () => headerNodes(card, named)],
    decide: [[card.marks, card.why, card.plan, card.plan_has, card.asked],
      () => decideNodes(card)],
    steps: [[card.do_now], () => stepNodes(card)],
    acts: [[card.answers, card.name, list.acting, row.choosing], () => actNodes(row, list, named)],
    pictures: [[card.pictures], () => pictureNodes(card)],
    table: [[card.columns, card.checks, card.spark], () => tableNodes(card)],
    rest: [[card.background, card.readings, card.also, card.beside, card.unanswered, card.rule, card.protocol, card.evidence, card.story],
      () => restNodes(card)],
  };
  for (const [name, [words, nodes]] of Object.entries(draw)) {
    const part = row.parts[name];
    const shown = JSON.stringify(words);
    if (part.shown === shown) continue;
    const open = [...part.node.querySelectorAll("details")].map((details) => details.open);
    part.shown = shown;
    part.node.replaceChildren(...nodes().filter(Boolean));
    [...part.node.querySelectorAll("details")].forEach((details, place) => {
      details.open = open[place] ?? false;
    });
  }
}

const block = (title, ...nodes) => el("section", {}, el("h3", { text: title }), ...nodes);
const lines = (tag, attributes, texts) =>
  el(tag, attributes, ...texts.map((text) => el("li", { text })));

function headerNodes(card, named) {
  const what = [card.word, card.pattern].filter(Boolean).join(" · ");
  return [
    el("span", { class: "shape" }, icon(SEVERITY_SHAPES[card.severity], 34, "0 0 32 32")),
    el("div", {},
      el("h2", { text: card.state === "closed" ? `${what} · closed` : what }),
      named ? el("p", { class: "where" }, el("b", { text: card.bed }), ` · ${card.name} · `,
        el("span", { text: whole(`MRN ${card.mrn}`) })) : null,
      named ? el("p", { text: card.flap }) : null,
      el("p", { class: "dim", text: card.since }),
      card.namesake ? el("p", { class: "namesake" }, warningIcon(17), card.namesake) : null),
  ];
}

function decideNodes(card) {
  return [
    card.marks.length ? el("div", { class: "marks" }, ...card.marks.map((text) =>
      el("p", { class: "mark" }, warningIcon(17), el("span", { text })))) : null,
    block("Why", el("p", { class: "why", text: card.why })),
    card.asked ? block("Asked of you", el("p", { text: card.asked })) : null,
    block(card.state === "closed" ? "How it ended" : "Who has it",
      el("p", { class: card.plan_has ? "plan has" : "plan", text: card.plan })),
  ];
}

function pictureNodes(card) {
  if (!card.pictures.length) return [];
  const figures = card.pictures.map(({ source, alt, caption }) => el("figure", {},
    el("img", { src: source, alt }), el("figcaption", { class: "dim", text: caption })));
  return [block("Photos", el("div", { class: "pictures" }, ...figures))];
}

const stepNodes = (card) =>
  card.do_now.length ? [block("Told to the nurse", ...card.do_now.map((text) => el("p", { text })))] : [];

/** The answers; or, once one that needs minutes was pressed, the minutes: the second tap sends. */
function actNodes(row, list, named) {
  const { card } = row;
  const whom = el("span", { class: "unseen", text: ` for ${card.name}, ${card.flap}` });
  const button = (label, look, press) =>
    el("button", { class: `button ${look}`, type: "button", onclick: press },
      label, whom.cloneNode(true));
  const choose = (kind) => {
    row.choosing = kind;
    paintCard(row, row.card, named, list);
    row.parts.acts.node.querySelector("button")?.focus();
  };
  const chosen = card.answers.find(({ kind, minutes }) => kind === row.choosing && minutes.length);
  if (chosen) {
    const send = (minutes) => () => {
      row.choosing = null;
      list.send(chosen.kind, row.card, minutes);
    };
    const asked = chosen.kind === "snooze" ? "For how many minutes?" : "In how many minutes?";
    const who = list.acting ? `, as ${list.acting}` : "";
    return [
      el("p", { class: "asking", text: `${chosen.label}${who}. ${asked}` }),
      el("div", { class: "thumb" },
        ...chosen.minutes.map(({ minutes, label }) => button(label, "answer", send(minutes)))),
      el("div", { class: "others" }, button("Back", "quiet", () => choose(null))),
    ];
  }
  row.choosing = null;
  const press = ({ kind, minutes }) => () =>
    (minutes.length ? choose(kind) : list.send(kind, row.card));
  const made = (answer) => button(answer.label,
    answer.look === "primary" ? "answer primary" : answer.look, press(answer));
  const main = card.answers.filter(({ look }) => look !== "quiet").map(made);
  const quiet = card.answers.filter(({ look }) => look === "quiet").map(made);
  if (named) quiet.push(button("Open the flap", "quiet", () => list.send("flap", row.card)));
  return [
    main.length ? el("div", { class: "thumb" }, ...main) : null,
    quiet.length ? el("div", { class: "others" }, ...quiet) : null,
  ];
}

function tableNodes(card) {
  if (!card.checks.length) return [];
  const heads = ["Time", ...card.columns].map((text) => el("th", { scope: "col", text }));
  const rows = card.checks.map((check) => el("tr", {}, el("th", { scope: "row", text: check.time }),
    ...(check.gap
      ? [el("td", { class: "gap", colspan: String(card.columns.length), text: check.gap })]
      : check.cells.map(cellNode))));
  const table = el("table", { "aria-label": "Last checks, newest first" },
    el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...rows));
  return [block("Last six checks", card.spark ? drawSpark(card.spark) : null,
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Last checks" }, table))];
}

function cellNode({ text, tone, said }) {
  if (!said) return el("td", { class: tone, text });
  return el("td", { class: tone, title: said },
    el("span", { "aria-hidden": "true", text }), el("span", { class: "unseen", text: said }));
}

function restNodes(card) {
  return [
    card.background ? block("Background", el("p", { text: card.background })) : null,
    card.readings.length ? block("What decides", lines("ul", {}, card.readings)) : null,
    card.also.length ? block("Also found", lines("ul", { class: "also" }, card.also)) : null,
    card.beside ? el("p", { text: card.beside }) : null,
    card.unanswered ? el("p", { class: "dim", text: card.unanswered }) : null,
    card.story.length ? details("Timeline", lines("ol", {}, card.story)) : null,
    card.evidence.length ? details("Evidence", lines("ul", {}, card.evidence)) : null,
    card.rule ? details(`Rule ${card.rule}`, el("p", { text: card.rule_why }),
      lines("ul", {}, card.sources)) : null,
    el("p", { class: "dim", text: card.protocol }),
  ];
}

const details = (title, ...nodes) =>
  el("details", {}, el("summary", { text: title }), ...nodes);
