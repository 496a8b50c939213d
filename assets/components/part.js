// Part: a part of a page that answers the address, and says so when it cannot. Dialog: open while the address says so.
// AddressLink: a link that changes the address. AddressDefault: a name that an address without it gets.
// FigureRelay: passes a figure on to its graph.
window.footfall_components = window.footfall_components || {};
(function () {
  "use strict";
  const {address, drawing} = window.footfall_components, {h} = drawing;
  const times = Object.assign({part: 10000, slow: 300}, window.footfallTimes);
  const REFUSED = "!";  // what `answered` begins with where the server could not read the part
  const NEWER_MS = 50;  // by which a newer answer follows an older one that was written in its place
  const CALLS = "_dash-update-component";

  /** What a part depends on in a query string. */
  function question(search, names) {
    const kept = [...new URLSearchParams(search)].filter(([name]) => names.includes(name));
    return String(new URLSearchParams(kept));
  }

  function Part({id, name, label, look, names, only, answered, again, graph, figure, children}) {
    const search = address.useSearch(), wanted = question(search, names), [isFailed, setFailed] = React.useState(false);
    const isRefused = Boolean(answered) && answered.startsWith(REFUSED);
    const isAsked = !only || Boolean(address.value(only, search));
    const isDue = isAsked && (answered == null || isRefused || question(answered, names) !== wanted);
    useFigure(graph, figure);
    React.useEffect(() => setFailed(false), [wanted]);
    React.useEffect(() => { if (isRefused) setFailed(true); }, [answered]);
    useNewerAnswer(answered, isDue && !isRefused, () => ask(again));
    React.useEffect(() => {
      if (!isDue || isFailed) return undefined;
      const fail = () => setFailed(true), timer = setTimeout(fail, times.part);
      window.addEventListener(UNANSWERED, fail);
      return () => {
        clearTimeout(timer);
        window.removeEventListener(UNANSWERED, fail);
      };
    }, [isDue, isFailed, wanted]);
    const retry = () => {
      setFailed(false);
      ask(again);
    };
    React.useEffect(() => {
      if (!isFailed) return undefined;
      leaveIfSignedOut();
      window.addEventListener("online", retry);
      return () => window.removeEventListener("online", retry);
    }, [isFailed]);
    const isLost = isDue && isFailed, isSlow = useSlow(isDue && !isFailed && answered != null);
    return h(label ? "section" : "div", {id, className: isSlow ? `${look} is-slow` : look, "data-part": name, "aria-label": label, "aria-busy": String(isDue && !isLost)},
      isLost ? failure(label, retry) : children);
  }

  const useFigure = (graph, figure) => React.useEffect(() => { if (figure) window.dash_clientside.set_props(graph, {figure}); }, [figure]);

  function FigureRelay({graph, figure}) {
    useFigure(graph, figure);
    return null;
  }

  // Whether an answer has been waited for that long. A transition of CSS with a delay would give each part a layer of its
  // own at once, which costs a sixth of a redraw that takes less than the delay.
  function useSlow(isWaiting) {
    const [isSlow, setSlow] = React.useState(false);
    React.useEffect(() => {
      if (!isWaiting) return undefined;
      const timer = setTimeout(() => setSlow(true), times.slow);
      return () => {
        clearTimeout(timer);
        setSlow(false);
      };
    }, [isWaiting]);
    return isSlow;
  }

  // Of callbacks with ALL, Dash may write an older answer after a newer one: asks again unless the newer one follows.
  function useNewerAnswer(answered, isDue, askAgain) {
    const before = React.useRef(answered);
    React.useEffect(() => {
      const isNew = before.current !== answered;
      before.current = answered;
      if (!isNew || !isDue || answered == null) return undefined;
      const timer = setTimeout(askAgain, NEWER_MS);
      return () => clearTimeout(timer);
    }, [answered, isDue]);
  }

  // Dash never ends a callback whose request has failed: such requests are found among those that the browser has made,
  // and else there is the time limit.
  const UNANSWERED = "footfall-unanswered", hasFailed = ({name, responseStatus}) => name.includes(CALLS) && (responseStatus === 0 || responseStatus >= 400);
  new PerformanceObserver((requests) => {
    if (/** @type {any[]} */ (requests.getEntries()).some(hasFailed)) window.dispatchEvent(new Event(UNANSWERED));
  }).observe({type: "resource"});

  /** Calls the callbacks again: `again` is the id of a dcc.Store that they have as an Input. */
  const ask = (again) => window.dash_clientside.set_props(again, {data: Date.now()});

  function failure(label, retry) {
    const hint = navigator.onLine ? footfall.say("The server or its database did not answer. The rest of the page is not affected.") : footfall.say("This device is offline.");
    const title = label ? footfall.say("{part} could not be read", {part: label}) : footfall.say("This could not be read");
    return h("div", {className: "ff-void is-failed", role: "alert"},
      drawing.icon("alert"), h("b", {}, title), h("p", {}, hint),
      h("button", {type: "button", className: "ff-btn ff-retry", onClick: retry}, drawing.icon("refresh"), footfall.say("Try again")));
  }

  // A login that has ended: the server sends every page to the sign-in page.
  async function leaveIfSignedOut() {
    try {
      const answer = await fetch(location.href, {method: "HEAD", redirect: "manual"});
      if (answer.type === "opaqueredirect") location.reload();
    } catch { /* the server is away: the part says so */ }
  }

  function Dialog({id, label, look, name, closes, setProps, children}) {
    const node = React.useRef(null), search = address.useSearch(), isWanted = address.value(name, search);
    React.useEffect(() => { if (isWanted) setProps({asked: search}); }, [isWanted, search]);
    React.useLayoutEffect(() => {
      if (isWanted && !node.current.open) node.current.showModal();
      if (!isWanted && node.current.open) node.current.close();
    });
    return h("dialog", {
      id, ref: node, className: look, "aria-label": label,
      onCancel(event) {
        event.preventDefault();
        address.go(closes);
      },
      onClick({target}) { if (target === node.current) address.go(closes); },  // outside: the dialog's content covers it
    }, children);
  }

  function AddressLink({id, look, label, title, change, file, name, button, disabled, current, children}) {
    address.useSearch();
    const props = {id, className: look, title, "aria-label": label, "aria-current": current ? "true" : undefined, "data-key": name};
    if (button) return h("button", {type: "button", disabled, ...props, ...address.way(change)}, children);
    return h("a", {...props, ...(file ? {href: file + location.search, "data-csv": ""} : address.link(change))}, children);
  }

  function AddressDefault({name, value}) {
    const search = address.useSearch();
    React.useLayoutEffect(() => {
      if (!address.value(name, search)) address.go(String(new URLSearchParams({[name]: value})), true);
    }, [search, name, value]);
    return null;
  }

  Object.assign(window.footfall_components, {Part, Dialog, AddressLink, AddressDefault, FigureRelay});
})();
