// One photo large, beside the one to hold it against: side by side where there is room, one above
// the other on a telephone.

function makeViewer(album) {
  const parts = {
    title: el("h3", { tabindex: "-1" }),
    close: el("button", { class: "button", type: "button", text: "Close" }),
    photo: figureParts(),
    beside: figureParts(),
    alone: el("p", { class: "dim" }),
    wait: el("p", { class: "dim wait", role: "status" }),
    later: el("button", { class: "button", type: "button", text: "Later", "aria-label": "Later photo" }),
    earlier: el("button", { class: "button", type: "button", text: "Earlier", "aria-label": "Earlier photo" }),
    strike: el("button", { class: "button quiet", type: "button", text: "Strike this photo" }),
  };
  const node = el("dialog", { class: "viewer", "aria-label": "Photo" },
    el("header", {}, parts.title, parts.close),
    el("div", { class: "sides" }, parts.photo.node, parts.beside.node),
    el("footer", {}, parts.earlier, parts.later, parts.strike, parts.wait, parts.alone));
  parts.close.addEventListener("click", () => node.close());
  parts.later.addEventListener("click", () => openPhoto(album, neighbour(album, -1)));
  parts.earlier.addEventListener("click", () => openPhoto(album, neighbour(album, 1)));
  parts.strike.addEventListener("click", () => {
    const key = album.opened;
    album.opened = null;
    node.close();
    album.send("strike", key);
  });
  node.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: 1, ArrowRight: -1 }[event.key];
    const key = way === undefined ? null : neighbour(album, way);
    if (key !== null) openPhoto(album, key);
  });
  node.addEventListener("close", () => {
    const key = album.opened;
    album.opened = null;
    album.tiles.get(key)?.button?.focus();
    if (key !== null) album.send("close");
  });
  return { node, parts };
}

function figureParts() {
  const parts = { image: el("img", { decoding: "async" }), words: el("figcaption") };
  parts.node = el("figure", {}, parts.image, parts.words);
  return parts;
}

const standing = (album) => album.data.photos.filter((photo) => !photo.struck);

/** The key of the photo so many places further down the strip, which runs newest first. */
function neighbour(album, step) {
  const photos = standing(album);
  const place = photos.findIndex((photo) => photo.key === album.opened);
  return photos[place + step]?.key ?? null;
}

function openPhoto(album, key) {
  if (key === null) return;
  album.opened = key;
  paintViewer(album);
  if (!album.viewer.node.open) {
    album.viewer.node.showModal();
    album.viewer.parts.title.focus();
  }
  album.send("open", key);
}

function paintViewer(album) {
  const { node, parts } = album.viewer;
  if (album.opened === null) return;
  const photo = standing(album).find((one) => one.key === album.opened);
  if (!photo) {
    node.close();
    return;
  }
  const { beside, beside_word: word } = album.data;
  const pair = beside !== null && beside.key !== photo.key;
  setText(parts.title, album.data.whose);
  paintFigure(album, parts.photo, photo, pair ? "This photo" : "");
  parts.beside.node.hidden = !pair;
  if (pair) paintFigure(album, parts.beside, beside, word);
  node.classList.toggle("pair", pair);
  setText(parts.alone, pair ? "" : beside === null ? "There is no baseline photo." : `This is the ${word.toLowerCase()}.`);
  const whole = [photo.key, ...(pair ? [beside.key] : [])].every((key) => album.data.pictures[key]);
  setText(parts.wait, whole ? "" : "Fetching the large picture");
  parts.later.disabled = neighbour(album, -1) === null;
  parts.earlier.disabled = neighbour(album, 1) === null;
  parts.strike.hidden = !album.data.may_strike;
}

function paintFigure(album, parts, photo, word) {
  setAttribute(parts.image, "src", album.data.pictures[photo.key] ?? photo.small);
  setAttribute(parts.image, "alt", photo.alt);
  parts.words.replaceChildren(...captionNodes(photo, word));
}
