// What was sent to whom, newest first. Everything as text; a link is the one the message carries.

const STALE_AFTER_MS = 20_000;
const outboxes = new WeakMap();

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".root");
  followTheme(root, parentElement);
  const box = outboxes.get(root) ?? makeBox(root);
  outboxes.set(root, box);
  if (data.shown_time !== box.time) box.heard = moment();
  box.time = data.shown_time;
  paintBox(box, data);
  const generation = ++box.generation;
  box.timer ??= setInterval(() => tick(box), 1000);
  return () => {
    if (box.generation !== generation) return;
    clearInterval(box.timer);
    box.timer = null;
  };
}

function tick(box) {
  const lost = since(box.heard) > STALE_AFTER_MS;
  box.root.classList.toggle("not-live", lost);
  setText(box.parts.lost, lost ? `NOT LIVE since ${box.time}: what you see may be old.` : "");
}

function makeBox(root) {
  const parts = {
    lost: el("div", { class: "lost", role: "alert" }),
    title: el("h1"),
    summary: el("span"),
    live: el("span", { class: "dim" }),
    strip: el("p", { class: "strip" }),
    empty: el("p", { class: "empty dim" }),
    list: el("ul", { class: "messages", role: "list", "aria-label": "Messages, newest first" }),
  };
  root.replaceChildren(parts.lost,
    el("div", { class: "top" }, parts.title, parts.summary, parts.live),
    parts.strip, parts.empty, parts.list);
  return { root, parts, rows: new Map(), generation: 0, timer: null };
}

function paintBox(box, data) {
  const { parts, rows } = box;
  setText(parts.title, data.title);
  setText(parts.summary, data.summary);
  setText(parts.live, `read ${data.shown_time}`);
  setText(parts.strip, data.strip);
  parts.strip.hidden = !data.strip;
  setText(parts.empty, data.empty_text);
  parts.empty.hidden = data.messages.length > 0;
  const wanted = new Set(data.messages.map(({ key }) => key));
  for (const [key, row] of rows) {
    if (wanted.has(key)) continue;
    row.node.remove();
    rows.delete(key);
  }
  data.messages.forEach((message, place) => {
    const row = rows.get(message.key) ?? { node: el("li"), shown: null };
    rows.set(message.key, row);
    const shown = JSON.stringify(message);
    if (row.shown !== shown) {
      row.shown = shown;
      row.node.replaceChildren(messageNode(message));
    }
    if (parts.list.children[place] !== row.node) {
      parts.list.insertBefore(row.node, parts.list.children[place] ?? null);
    }
  });
}

const TONES = {
  sent: [["path", { ...LINE, d: "M4 12.5 9.5 18 20 6.5" }]],
  waiting: [["circle", { ...LINE, cx: 12, cy: 12, r: 8.5 }], ["path", { ...LINE, d: "M12 7v5.5l3.5 2" }]],
  trouble: [["path", { ...LINE, d: "M12 3.5 22 20.5H2zM12 10v4.5M12 17.4v.1" }]],
  dropped: [["path", { ...LINE, d: "M5 12h14" }]],
};

function messageNode(message) {
  const { severity, when, to, how, title, body, tone, state, detail, open, link } = message;
  return el("article", { "data-severity": severity, "data-tone": tone },
    el("div", { class: "to" }, el("p", { class: "when", text: when }),
      el("p", {}, el("b", { text: to })), el("p", { class: "dim", text: how })),
    el("div", { class: "said" }, el("p", { class: "title" },
      icon(SEVERITY_SHAPES[severity], 20, "0 0 32 32"), el("span", { text: title })),
      el("p", { text: body })),
    el("div", { class: "became" }, el("p", { class: "state" }, icon(TONES[tone], 20),
      el("b", { text: state })),
      detail ? el("p", { class: "dim", text: detail }) : null,
      link ? el("a", { class: "open", href: link, target: "_blank", rel: "noopener", text: open }) : null));
}
