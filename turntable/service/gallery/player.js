// A player of the sequences of an object: its stored views one after the other, with the values of its joints.

import { formatValue, h } from "./dom.js";
import { pageUrl } from "./api.js";
import { chosenOutput, outputButtons, outputLegend, outputUrl } from "./outputs.js";

const SPEEDS = [1, 2, 4, 8, 16]; // views per second

/** A player of an object's sequences, each of `about.sequence_length` views. */
export function player(name, object, about) {
  const length = about.sequence_length;
  const numSequences = Math.floor(object.views.length / length);
  // Who asked for less motion gets it slowly, and once: the sequence does not begin again by itself.
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const state = { sequence: 0, place: 0, speed: isCalm ? 1 : 4, timer: 0, isPlaying: false };
  const pictures = new Map();
  let latest = 0;

  const stage = h("div", {
    class: "stage", tabindex: "0", role: "application", "aria-roledescription": "player",
    "aria-label": "Sequence: Space plays and pauses, the arrow keys show the view before and after, Home and End the first and last",
  });
  const problem = h("p", { class: "error", role: "alert", hidden: true });
  const play = h("button", { type: "button", class: "strong", onclick: () => setPlaying(!state.isPlaying) }, "Play");
  const slider = h("input", { type: "range", min: 0, max: length - 1, value: 0, "aria-label": "View of the sequence",
    oninput: () => { setPlaying(false); show(Number(slider.value)); } });
  const caption = h("a", { class: "quiet" });
  const joints = jointList(object.parts ?? []);
  const meaning = h("div", {});
  const buttons = outputButtons(name, about.outputs, () => { pictures.clear(); show(state.place); });

  const viewAt = (place) => state.sequence * length + place;

  /** The picture at a place of the sequence; it begins to load when it is first asked for. */
  function getPicture(place) {
    if (!pictures.has(place)) {
      const src = outputUrl(name, object.key, viewAt(place), chosenOutput(name));
      pictures.set(place, h("img", { src, alt: `View ${viewAt(place)}`, draggable: "false" }));
    }
    return pictures.get(place);
  }

  async function show(place) {
    const current = ++latest; // pictures may arrive in another order: only the latest is shown
    state.place = place;
    describe();
    const picture = getPicture(place);
    getPicture((place + 1) % length); // loaded ahead
    try {
      await picture.decode();
    } catch {
      if (current === latest) fail(`View ${viewAt(place)} cannot be shown.`);
      pictures.clear();
      return;
    }
    if (current !== latest) return;
    problem.hidden = true;
    stage.replaceChildren(picture);
  }

  function fail(text) {
    setPlaying(false);
    problem.textContent = text;
    problem.hidden = false;
  }

  function describe() {
    const [output, view] = [chosenOutput(name), viewAt(state.place)];
    const text = `View ${view}, ${state.place + 1} of ${length}`;
    slider.value = state.place;
    slider.setAttribute("aria-valuetext", text);
    caption.textContent = text;
    caption.href = pageUrl("d", name, "o", object.key, view);
    joints.show(object.joint_values?.[view] ?? []);
    stage.classList.toggle("pixels", output !== "rgb");
    if (meaning.dataset.output !== output) {
      meaning.dataset.output = output;
      meaning.replaceChildren(...(output === "rgb" ? [] : [outputLegend(output, object.parts)]));
    }
  }

  function setPlaying(isPlaying) {
    state.isPlaying = isPlaying;
    play.textContent = isPlaying ? "Pause" : "Play";
    clearTimeout(state.timer);
    if (isPlaying) state.timer = setTimeout(advance, isCalm && state.place === length - 1 ? 0 : 1000 / state.speed);
  }

  async function advance() {
    if (!stage.isConnected) return; // another page is shown
    const isLast = state.place === length - 1;
    const began = performance.now();
    await show(isLast ? 0 : state.place + 1);
    if (!state.isPlaying) return;
    if (isCalm && state.place === length - 1) return setPlaying(false);
    state.timer = setTimeout(advance, Math.max(0, 1000 / state.speed - (performance.now() - began)));
  }

  function step(place) {
    setPlaying(false);
    show(Math.min(length - 1, Math.max(0, place)));
  }

  stage.addEventListener("keydown", (event) => {
    const place = {
      ArrowLeft: state.place - 1, ArrowDown: state.place - 1, ArrowRight: state.place + 1, ArrowUp: state.place + 1,
      Home: 0, End: length - 1,
    }[event.key];
    if (place === undefined && event.key !== " ") return;
    event.preventDefault();
    if (event.key === " ") setPlaying(!state.isPlaying);
    else step(place);
  });

  const speed = choice("Speed", SPEEDS.map((value) => [value, `${value} views a second`]), state.speed, (value) => {
    state.speed = value;
    setPlaying(state.isPlaying);
  });
  const sequence = numSequences < 2 ? null : choice("Sequence", Array.from({ length: numSequences }, (_, index) =>
    [index, `Sequence ${index + 1} of ${numSequences}`]), 0, (value) => {
    state.sequence = value;
    pictures.clear();
    show(0);
  });
  show(0);
  return h("section", { class: "split player", "aria-label": "Motion" },
    h("div", {}, stage, problem, h("div", { class: "tools" }, play, slider), h("div", { class: "tools" }, caption)),
    h("div", {}, h("h2", {}, "Motion"), h("div", { class: "tools" }, sequence, speed), buttons, meaning, joints.element));
}

function choice(label, options, selected, onChange) {
  return h("select", { "aria-label": label, onchange: (event) => onChange(Number(event.target.value)) },
    options.map(([value, text]) => h("option", { value, selected: value === selected }, text)));
}

/** A list of the joints; `show` sets their values. */
function jointList(parts) {
  const moved = parts.filter((part) => part.joint);
  const rows = moved.map(({ name, color, joint }) => ({
    joint, value: h("output", {}), meter: h("meter", { min: joint.low, max: joint.high, "aria-label": name }), name, color,
  }));
  const element = rows.length === 0 ? null : h("ul", { class: "joints", "aria-label": "Joints" }, rows.map((row) =>
    h("li", {}, h("span", {}, h("i", { class: "dot", style: `background:${row.color}` }), row.name), row.meter, row.value)));
  return {
    element,
    show: (values) => rows.forEach((row, index) => {
      row.meter.value = values[index];
      row.value.textContent = formatValue(values[index], row.joint.unit);
    }),
  };
}
