// A sound and a mark in the browser's tab for a red that nobody has: beside the paging, never
// instead of it. Off until somebody switches it on, on this device.

const SOUND_KEY = "flaps-sound";
const PLAIN_TITLE = "Flaps";
let soundOn = false;
try {
  soundOn = localStorage.getItem(SOUND_KEY) === "on";
} catch {
  soundOn = false; // a browser that keeps nothing stays silent
}
let speaker = null;
let loudBefore = null;

/** The tab says how many reds nobody has; a new one sounds, where sound is on. */
function badge(unowned) {
  document.title = unowned ? `(${unowned}) ${PLAIN_TITLE}` : PLAIN_TITLE;
  if (soundOn && loudBefore !== null && unowned > loudBefore) beep();
  loudBefore = unowned;
}

/** Three short tones; nothing that repeats by itself. */
function beep() {
  speaker ??= new AudioContext();
  for (const [start, pitch] of [[0, 740], [0.25, 880], [0.5, 740]]) {
    const tone = speaker.createOscillator();
    const volume = speaker.createGain();
    tone.frequency.value = pitch;
    volume.gain.value = 0.12;
    tone.connect(volume).connect(speaker.destination);
    tone.start(speaker.currentTime + start);
    tone.stop(speaker.currentTime + start + 0.18);
  }
}

function soundButton() {
  const button = el("button", { class: "button quiet sound", type: "button" });
  const show = () => {
    setText(button, soundOn ? "Sound is on" : "Sound is off");
    setAttribute(button, "aria-pressed", String(soundOn));
  };
  button.addEventListener("click", () => {
    soundOn = !soundOn;
    try {
      localStorage.setItem(SOUND_KEY, soundOn ? "on" : "off");
    } catch { /* then it is on until the page is left */ }
    if (soundOn) beep();
    show();
  });
  show();
  return button;
}
