// Whose flap it is and how it stands now. Also tells the page whether the screen is narrow, so
// that the picture of the stay can be drawn for it.

const NARROW = 640;
const NOT_LIVE_AFTER_MS = 12_000;
const heads = new WeakMap();

export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".root");
  followTheme(root, parentElement);
  const head = heads.get(root) ?? makeHead(root);
  heads.set(root, head);
  tellWidth(head, setStateValue);
  if (data.shown_time !== head.time) head.heard = moment();
  head.time = data.shown_time;
  paintHead(head, { ...data, shown_time: "" });
  const generation = ++head.generation;
  head.timer ??= setInterval(() => tick(head), 1000);
  tick(head);
  return () => {
    // Streamlit may clean up after an older call than the latest; only the latest one ends it.
    if (head.generation !== generation) return;
    clearInterval(head.timer);
    head.timer = null;
  };
}

function makeHead(root) {
  const lost = el("div", { class: "lost", role: "alert" });
  const card = el("section", { class: "head-card", "aria-label": "Patient and flap" });
  root.replaceChildren(lost, card);
  return { root, lost, card, shown: null, narrow: false, generation: 0, timer: null };
}

function tellWidth(head, setStateValue) {
  const narrow = head.root.getBoundingClientRect().width < NARROW;
  if (narrow === head.narrow) return;
  head.narrow = narrow;
  setStateValue("narrow", narrow);
}

function paintHead(head, data) {
  const shown = JSON.stringify(data);
  if (head.shown === shown) return;
  head.shown = shown;
  head.card.replaceChildren(identityNode(data), stateNode(data));
}

function tick(head) {
  const lost = since(head.heard) > NOT_LIVE_AFTER_MS;
  head.root.classList.toggle("not-live", lost);
  setText(head.lost, lost
    ? `NOT LIVE since ${head.time}: what you see may be old. Look at the patient.` : "");
}

function identityNode(data) {
  const born = whole(`born ${data.born}`);
  return el("div", { class: "identity" },
    el("h1", { text: data.name }),
    el("p", { text: `${whole(`MRN ${data.mrn}`)} · ${born} · ${whole(data.bed)}` }),
    el("p", { class: "flap", text: `${data.label} · ${whole(data.hours)}` }),
    data.namesake ? el("p", { class: "namesake" }, warningIcon(18), data.namesake) : null,
    el("p", { class: "dim", text: data.protocol }));
}

function stateNode(data) {
  const under = [data.pattern, data.since].filter(Boolean).join(" · ");
  return el("div", { class: "state", "data-severity": data.severity },
    el("header", {},
      el("span", { class: "shape" }, icon(SEVERITY_SHAPES[data.severity], 34, "0 0 32 32")),
      el("div", {}, el("b", { text: data.word }), el("span", { class: "dim", text: under }))),
    el("p", { class: "why" }, ...data.why.map(({ text, strong }) =>
      strong ? el("strong", { text }) : el("span", { text }))),
    data.note ? el("p", { text: data.note }) : null,
    data.plan ? el("p", { class: data.plan_has ? "plan has" : "plan", text: data.plan }) : null,
    el("p", { class: "times dim" }, el("span", { text: data.last }), el("span", { text: data.due })));
}
