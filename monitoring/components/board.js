// The ward board: one list of flaps, kept row by row through refreshes, and a light that goes
// out by itself when the server falls silent.

const NOT_LIVE_AFTER_MS = 12_000;
const boards = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".root");
  const known = boards.get(parentElement);
  const board = known?.root === root ? known : makeBoard(root);
  boards.set(parentElement, board);
  board.send = (kind, flapId) => setTriggerValue("action", { kind, flap_id: flapId });
  followTheme(board.root, parentElement);
  stickBelowHeader(board.root);
  receive(board, JSON.parse(new TextDecoder().decode(data)));
  const generation = ++board.generation;
  board.timer ??= setInterval(() => tick(board), 1000);
  document.addEventListener("visibilitychange", board.wake);
  tick(board);
  return () => {
    // Streamlit may clean up after an older call than the latest; only the latest one ends it.
    if (board.generation !== generation) return;
    clearInterval(board.timer);
    board.timer = null;
    document.removeEventListener("visibilitychange", board.wake);
  };
}

function makeBoard(root) {
  const parts = {
    notLive: el("div", { role: "alert" }),
    engineDown: el("div", { role: "alert" }),
    newReds: el("div", { class: "unseen", "aria-live": "assertive" }),
    title: el("h1"),
    live: el("span", { class: "live" }),
    engine: el("span", { class: "dim" }),
    counts: el("ul", { class: "counts", role: "list" }),
    empty: el("p", { class: "empty dim" }),
    list: el("ul", { class: "tiles", role: "list", "aria-label": "Flaps, worst first" }),
  };
  root.replaceChildren(
    el("div", { class: "banners" }, parts.notLive, parts.engineDown),
    parts.newReds,
    el("div", { class: "head" }, parts.title, parts.live, parts.engine, parts.counts),
    el("div", { class: "body" }, parts.empty, parts.list),
  );
  const board = {
    root, parts, tiles: new Map(), data: null, heard: null, reds: null, generation: 0, timer: null,
  };
  board.wake = () => tick(board);
  return board;
}

/** A call with the time we already have is a change of theme, not news from the server. */
function receive(board, data) {
  const known = board.data?.header.server_time_iso;
  if (data.header.server_time_iso !== known) board.heard = moment();
  board.data = data;
  const { header } = data;
  setText(board.parts.title, `${header.ward} · flaps`);
  paintCounts(board.parts.counts, header.counts);
  setText(board.parts.empty, data.empty_text);
  board.parts.empty.hidden = data.tiles.length > 0;
  reconcile(board, data.tiles);
  announceNewReds(board, data.tiles);
  badge(data.tiles.filter((tile) => tile.severity === "red" && !tile.plan_has).length);
}

function paintCounts(list, counts) {
  const shown = ["red", "amber", "yellow", "unknown", "overdue", "flaps"];
  const wanted = shown.filter((name) => counts[name] > 0 || name === "flaps");
  const signature = JSON.stringify(wanted.map((name) => [name, counts[name]]));
  if (list.dataset.shown === signature) return;
  list.dataset.shown = signature;
  list.replaceChildren(
    ...wanted.map((name) =>
      el("li", { class: name }, el("b", { text: String(counts[name]) }), ` ${name}`),
    ),
  );
}

/** Rows are kept by flap: what has not moved is not touched, so focus and scroll stay. */
function reconcile(board, tiles) {
  const { list } = board.parts;
  const held = board.root.getRootNode().activeElement;
  const wanted = new Set(tiles.map((tile) => tile.flap_id));
  for (const [flapId, row] of board.tiles) {
    if (wanted.has(flapId)) continue;
    row.node.remove();
    board.tiles.delete(flapId);
  }
  tiles.forEach((tile, place) => {
    const row = board.tiles.get(tile.flap_id) ?? makeTile(board, tile.flap_id);
    board.tiles.set(tile.flap_id, row);
    paintTile(row, tile);
    if (list.children[place] !== row.node) list.insertBefore(row.node, list.children[place] ?? null);
  });
  if (held && held.isConnected && board.root.getRootNode().activeElement !== held) {
    held.focus({ preventScroll: true });
  }
}

function announceNewReds(board, tiles) {
  const red = tiles.filter((tile) => tile.severity === "red");
  const before = board.reds;
  board.reds = new Set(red.map((tile) => tile.flap_id));
  const fresh = before === null ? [] : red.filter((tile) => !before.has(tile.flap_id));
  if (!fresh.length) return;
  const sentences = fresh.map(
    (tile) => `New red: ${tile.bed}, ${tile.name}, ${tile.label}, ${tile.pattern}.`,
  );
  setText(board.parts.newReds, sentences.join(" "));
}

// The clock of the board.

function tick(board) {
  const { header } = board.data;
  const silence = since(board.heard);
  const now = Date.parse(header.server_time_iso) + silence;
  paintLive(board, header, silence > NOT_LIVE_AFTER_MS);
  paintEngine(board, header.engine, silence);
  for (const row of board.tiles.values()) paintDue(row, now);
}

function paintLive(board, header, lost) {
  const { notLive, live } = board.parts;
  board.root.classList.toggle("not-live", lost);
  const sentence = lost
    ? `NOT LIVE since ${header.shown_time}: what you see may be old. Check the patient.`
    : "";
  setText(notLive, sentence);
  const light = `updated ${header.shown_time}`;
  setText(live, lost ? `not live, ${light}` : `live, ${light}`);
  setAttribute(live, "title", `Ward time, ${header.zone_offset}`);
}

const engineAge = (seconds) =>
  seconds < 120 ? `${Math.round(seconds)} s ago` : `${Math.floor(seconds / 60)} min ago`;

function paintEngine(board, engine, silence) {
  const { engineDown, engine: line } = board.parts;
  const seconds = (engine.seconds_ago ?? 0) + silence / 1000;
  const onCall = board.data.header.on_call ? ` · on call: ${board.data.header.on_call}` : "";
  if (["ok", "aside", "behind"].includes(engine.state)) {
    const said = {
      aside: `NOT EVERY FLAP IS WATCHED: ${engine.text}. ` +
        "Its overdue checks are noticed by nobody. Tell hospital IT.",
      behind: `ALERTS BEHIND: ${engine.text}. Telephone whoever must know. Tell hospital IT.`,
    };
    setText(engineDown, said[engine.state] ?? "");
    engineDown.dataset.state = engine.state;
    setText(line, `alert engine ran ${engineAge(seconds)}${onCall}`);
    return;
  }
  setText(line, `alert engine not running${onCall}`);
  if (engineDown.dataset.state !== engine.state || !engineDown.firstElementChild) {
    engineDown.dataset.state = engine.state;
    const never = engine.state === "never";
    const cause = never ? "no alert engine has ever run." : "the alert engine last ran ";
    const age = el("span", { class: "age", "aria-live": "off" });
    engineDown.replaceChildren(`ALERTS NOT RUNNING: nobody is paged, telephone; ${cause}`, age);
  }
  const stale = engine.state === "stale";
  setText(engineDown.querySelector(".age"), stale ? engineAge(seconds) : "");
}

function timeSpan(milliseconds, round) {
  if (milliseconds < 60_000) return `${Math.round(milliseconds / 1000)} s`;
  const minutes = round(milliseconds / 60_000);
  if (minutes < 100) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}`;
}

/** The state may pass to due and to overdue here, between two refreshes. */
function dueAt(due, now) {
  if (due.at_iso === null) return due;
  const left = Date.parse(due.at_iso) - now;
  const passed = (iso) => iso !== null && now >= Date.parse(iso);
  if (passed(due.overdue_from_iso)) {
    return { state: "overdue", word: due.words.overdue, text: timeSpan(-left, Math.floor) };
  }
  if (left <= 0) return { state: "due", word: due.words.due, text: "now" };
  const state = passed(due.soon_from_iso) ? "due_soon" : "later";
  return { state, word: due.words.later, text: `in ${timeSpan(left, Math.ceil)}` };
}

function paintDue(row, now) {
  const due = dueAt(row.tile.due, now);
  setAttribute(row.node, "data-due", due.state);
  setText(row.parts.dueWord, due.word);
  setText(row.parts.dueText, due.text);
}
