// What our components draw alike: pictograms, empty frames, links to files, groups of buttons, names, ages; keeping the focus, and a
// search in the address. Files stand behind one another by name: address.js, then this, then the components, which use both.
window.footfall_components = window.footfall_components || {};
(function () {
  "use strict";
  const h = (...all) => React.createElement(...all);
  const {address} = window.footfall_components;
  const WIDTHS = [92, 74, 81, 58, 66, 40, 70, 52, 63, 35];  // of the lines of a skeleton, in percent

  const icon = (name, size = 16) => h("span", {className: `ff-i ff-i-${name}${size === 16 ? "" : ` ff-i-${size}`}`, "aria-hidden": "true"});

  const skeleton = (rows) => h("div", {className: "ff-skels", "aria-busy": "true", "aria-label": footfall.say("Loading")},
    Array.from({length: rows}, (_, row) => h("span", {key: row, className: "ff-skel", style: {width: `${WIDTHS[row % WIDTHS.length]}%`}})));

  /** Words in an empty frame, with a way on where there is one. */
  function nothing({title, hint, link, href, change}) {
    const further = link && h("p", {className: "ff-void-more"}, h("a", {className: "ff-link", ...(href ? {href} : address.link(change))}, link));
    return h("div", {}, h("div", {className: "ff-void"}, icon("mouse"), h("b", {}, title), h("p", {}, hint)), further);
  }

  /** A link to a file of the question in the address. */
  const file = ({href, label}) => h("a", {href: href + location.search, className: "ff-icon", title: label, "aria-label": label, "data-csv": ""}, icon("download", 14));

  /** A name that is cut in its middle where there is no room; on a phone it wraps. */
  function name(of, tag = "bdi", props = {}) {
    const parts = window.footfall.write.halves(of), look = `${props.className || ""} ff-mid${of.length > 160 ? " is-endless" : ""}`.trim();
    return parts.length === 1 ? h(tag, props, of) : h(tag, {...props, className: look}, h("span", {}, parts[0]), h("span", {}, parts[1]));
  }

  /** So many seconds ago, in the largest unit. */
  function ago(seconds) {
    if (seconds < 2) return footfall.say("now");
    if (seconds < 60) return footfall.say("{n} s", {n: Math.floor(seconds)});
    if (seconds < 3600) return footfall.say("{n} min", {n: Math.floor(seconds / 60)});
    return seconds < 86400 ? footfall.say("{n} h", {n: Math.floor(seconds / 3600)}) : footfall.say("{n} d", {n: Math.floor(seconds / 86400)});
  }

  /** Draws the ages again each minute. */
  function useMinute() {
    const [now, move] = React.useState(0);
    React.useEffect(() => {
      const timer = setInterval(() => move((before) => before + 1), 60000);
      return () => clearInterval(timer);
    }, []);
    return now;
  }

  /** Buttons of which one is pressed. */
  const choices = (of, look) => of.map(({key, label, change, chosen}) =>
    h("button", {key, type: "button", className: look, "aria-pressed": String(chosen), "data-key": key, ...address.way(change)}, h("bdi", {}, label)));

  /** Keeps the focus within the element of `ref` when what had it is drawn no more. */
  function useKeptFocus(ref) {
    const had = ref.current && ref.current.contains(document.activeElement);
    React.useLayoutEffect(() => {
      if (had && ref.current && !ref.current.contains(document.activeElement)) ref.current.focus({preventScroll: true});
    });
  }

  /**
   * Props of a field whose text is `name` in the address. It is the reader's while it has the focus, and each pause of the
   * typing replaces the entry in the history; Back and Forward write what the address says. Other searches begin at page 1.
   */
  function useTyped(name, pause = 200) {
    const field = React.useRef(null), timer = React.useRef(0), inAddress = () => address.value(name);
    address.useSearch();
    React.useLayoutEffect(() => { if (document.activeElement !== field.current) field.current.value = inAddress(); });
    React.useEffect(() => {
      const moved = () => {
        clearTimeout(timer.current);
        field.current.value = inAddress();
      };
      window.addEventListener("popstate", moved);
      return () => {
        clearTimeout(timer.current);
        window.removeEventListener("popstate", moved);
      };
    }, []);
    const type = ({target, nativeEvent}) => {
      clearTimeout(timer.current);
      if (nativeEvent.isComposing) return;
      timer.current = setTimeout(() => address.go(String(new URLSearchParams({[name]: target.value, page: ""})), true), pause);
    };
    return {ref: field, type: "search", className: "ff-input", defaultValue: inAddress(), autoComplete: "off", onInput: type, onCompositionEnd: type};
  }

  /** What is wrong in the address, and a link that changes it. */
  const wrong = ({said, way, change}) => h("div", {className: "ff-alert is-warn", role: "alert"},
    icon("alert"), h("span", {}, said, " ", h("a", {className: "ff-link", ...address.link(change)}, way)));

  window.footfall_components.drawing = {h, icon, skeleton, nothing, file, ago, choices, name, useKeptFocus, useMinute, useTyped, wrong};
})();
