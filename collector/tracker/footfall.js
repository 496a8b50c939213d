/*
 * The script that a site carries to be counted by Footfall:
 *
 *   <script defer src="https://stats.example.com/js/footfall.js" data-site="example.com"></script>
 *
 * It tells the collector of each pageview, says every half minute that the visitor is still there (a heartbeat),
 * and says goodbye (a leave). Links out of the site, downloads, and with data-404 a page that is not there, are events.
 * It keeps nothing in the browser unless data-visitor="browser" asks for it, sends
 * nothing at all under Global Privacy Control or Do Not Track, and never throws into the page.
 *
 * Visitors get footfall.min.js: run `python collector/tracker/build.py` after a change here.
 */
(() => {
  const HEARTBEAT_MS = 30000;
  const IDLE_AFTER_MS = 60000; // without pointer, key or scroll
  const MEASURE_MS = 250; // however fast input comes, the page is measured no more often
  const ROUTER_MS = 100; // a router may redirect, and sets the title, shortly after it changed the address
  const ANSWER_MS = 20000; // an answer that takes longer is none
  const RETRIES = 3;
  const QUEUE_LENGTH = 50;
  const BODY_LENGTH = 16000; // characters, 48 kB at worst: a page that closes may send 64 KiB
  const FILES = /\.(7z|avi|csv|dmg|docx?|exe|gz|key|midi?|mov|mp[34]|mpe?g|pdf|pkg|pp[st]x?|rar|rtf|txt|wav|wm[av]|xlsx?|zip)$/i;

  const page = document;
  const script = page.currentScript || page.querySelector("script[data-site]") || {};
  const options = script.dataset || {};
  const api = options.api || (script.src && new URL("/api/collect", script.src).href);
  const manual = "manual" in options;

  // ---------------------------------------------------------------------------------------------- state

  let stopped = false; // by footfall("stop")
  let user = options.user || undefined; // a template writes data-user="" for nobody
  let userType = options.userType || undefined;
  let visitor; // the browser's own id, only with data-visitor="browser"

  let pageview; // the id of the pageview that runs: none before the first, on excluded pages, when stopped
  let here; // the address of the latest page, counted or not
  let referrer = page.referrer;
  let engaged; // how long the page was visible, focused and in use, in milliseconds
  let scroll; // how much of the page was seen at most, in percent

  let measured = 0; // when `engaged` was brought up to date
  let touched = 0; // when the visitor last did something
  let watching; // was the page visible and focused when measured?
  let heartbeatTimer;
  let routerTimer; // set while what is on the screen may belong to the next page already

  let queue = []; // pageviews, events and leaves that the collector has not answered for, as JSON
  let heartbeat = []; // at most one, the newest: its totals make the ones before needless
  let busy; // waiting for an answer or for the time of a retry
  let failures = 0; // since the last answer
  let warned; // a wrong data-site is told once

  // ---------------------------------------------------------------------------------------------- tools

  /** The same function, with its errors kept from the page. */
  const guard = (work) => (...args) => {
    try {
      return work(...args);
    } catch {}
  };

  const later = (work, ms) => setTimeout(guard(work), ms);

  /** Listens at the top and on the way down, where no listener of the page can stop the event before. */
  const listen = (types, work) =>
    types.split(" ").forEach((type) => addEventListener(type, guard(work), true));

  /** 96 random bits in at most 32 characters; crypto.randomUUID is missing on pages without https. */
  const newId = () => {
    let numbers = new Uint32Array(3);
    try {
      crypto.getRandomValues(numbers);
    } catch {
      numbers = numbers.map(() => Math.random() * 2 ** 32);
    }
    return numbers.join("-");
  };

  /** The whole address of a page; its fragment only with data-hash, where that names the page. */
  const address = (to) => {
    const url = new URL(to || location, location);
    if (!("hash" in options)) url.hash = "";
    return url.href.slice(0, 4000);
  };

  // ------------------------------------------------------------------------------------- what to be silent on

  /** data-exclude: `*` is anything within a segment, `**` anything at all, the comma means "or". */
  const wildcards = { "**": ".*", "*": "[^/]*", ",": "|", " ": "" };
  const excluded = new RegExp(
    `^(${(options.exclude || "").replace(/\*\*|\W/g, (found) => wildcards[found] ?? "\\" + found)})$`,
  );

  const isSilent = (url) => {
    const { protocol, pathname, hash } = new URL(url);
    return stopped || !/^http/.test(protocol) || excluded.test(pathname + hash); // a file on a disk is nobody's page
  };

  // ------------------------------------------------------------------------------------------- the way out

  /** The JSON of one event, made at once: the page may change its objects before it is sent. */
  const pack = (type, fields) =>
    JSON.stringify({
      ...fields,
      site: options.site,
      type,
      user_id: user,
      user_type: userType,
      visitor_id: visitor,
    });

  /** The oldest of the queue, as many as one request may carry. */
  const nextBatch = () => {
    let length = 0;
    return queue.filter((event) => (length += event.length) < BODY_LENGTH);
  };

  /** A body goes out as text/plain, as strings do, and so needs no preflight. */
  const bodyOf = (events) => `[${events}]`;

  /**
   * Sends what waits, one request at a time to keep the order. What gets no answer, 429, 5xx, or `Retry-After` for a
   * part of it, stays in the queue: it goes again with the same ids after growing pauses, three times, and then only
   * with the next event or heartbeat. A heartbeat goes once. Whatever was judged, good or bad, is done with.
   */
  const flush = async () => {
    const batch = nextBatch();
    const body = bodyOf(batch.concat(heartbeat));
    if (busy || body == "[]") return;
    busy = true;
    heartbeat = [];
    let pause = 2 ** Math.min(failures++, 5);
    try {
      const patience = new AbortController();
      later(() => patience.abort(), ANSWER_MS);
      const answer = await fetch(api, {
        method: "POST",
        body,
        keepalive: true,
        credentials: "omit",
        signal: patience.signal,
      });
      const said = await answer.text(); // until then its request uses up the 64 KiB that a page may have under way
      const wait = answer.headers.get("Retry-After");
      if (wait || answer.status == 429 || answer.status > 499) pause = +wait || pause;
      else {
        pause = failures = 0;
        queue = queue.filter((event) => !batch.includes(event));
        if (!warned && said.includes("unknown_site")) {
          warned = true;
          console.warn(`Footfall knows no site "${options.site}": check data-site`);
        }
      }
    } catch {}
    later(() => {
      busy = false;
      if (failures <= RETRIES) flush();
    }, pause * (1 + Math.random()) * 1000);
  };

  const send = (events) => {
    queue = queue.concat(events.filter((event) => event.length < BODY_LENGTH)).slice(-QUEUE_LENGTH);
    flush();
  };

  // ------------------------------------------------------------------------------------------ one pageview

  /** Brings the totals of the pageview up to date. */
  const measure = () => {
    const now = performance.now();
    if (watching) engaged += Math.max(0, Math.min(now, touched + IDLE_AFTER_MS) - measured);
    measured = now;
    watching = !page.hidden && page.hasFocus();
    if (!routerTimer) {
      const seen = Math.round(((scrollY + innerHeight) / page.documentElement.scrollHeight) * 100);
      scroll = Math.max(scroll, Math.min(seen || 0, 100));
    }
  };

  const touch = () => {
    const now = performance.now();
    if (now - measured > MEASURE_MS) measure();
    touched = now;
  };

  const totals = () => ({ pageview, engaged_ms: Math.round(engaged), scroll });

  /** Makes a heartbeat of the totals, and arranges for the next one while the page is visible. */
  const beat = () => {
    const used = measured - touched < IDLE_AFTER_MS ? "active" : "idle";
    const state = page.hidden ? "hidden" : used;
    heartbeat = [pack("heartbeat", { ...totals(), url: here, state })];
    clearTimeout(heartbeatTimer);
    if (!page.hidden) heartbeatTimer = later(beatNow, HEARTBEAT_MS);
  };

  const beatNow = () => {
    if (!pageview) return;
    measure();
    beat();
    flush();
  };

  /** Ends the pageview that runs, if one does. Returns the leave to send in a list. */
  const leave = () => {
    const events = pageview ? [pack("leave", totals())] : [];
    pageview = undefined;
    heartbeat = [];
    return events;
  };

  /** Begins a pageview at an address. One body tells of the page left and of the page reached. */
  const view = (url) => {
    const events = leave();
    here = url;
    if (!isSilent(url)) {
      measure();
      engaged = scroll = 0; // of the new page nothing was seen so far: it may still be blank
      touched = measured;
      pageview = newId();
      events.push(
        pack("pageview", {
          id: pageview,
          url,
          referrer: referrer.slice(0, 2000),
          title: page.title.slice(0, 300),
          screen: [screen.width, screen.height],
          timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
          language: navigator.language,
        }),
      );
      referrer = ""; // whoever walks on comes from this very site
      beat();
    }
    send(events);
  };

  /** Ends the pageview and empties the queue by a beacon, which outlives the page. */
  const close = () => {
    measure();
    const last = leave();
    const events = nextBatch().concat(last);
    queue = [];
    if (events[0] && !navigator.sendBeacon?.(api, bodyOf(events))) send(last);
  };

  // ------------------------------------------------------------------------------------------- navigation

  /** Begins a pageview if the address is another than that of the latest page. */
  const arrive = () => {
    clearTimeout(routerTimer);
    routerTimer = 0;
    if (!manual && !stopped && address() != here) view(address());
  };

  const arriveSoon = () => {
    clearTimeout(routerTimer);
    routerTimer = later(arrive, ROUTER_MS);
  };

  const watchHistory = (method) => {
    const original = history[method];
    history[method] = function () {
      arriveSoon();
      return original.apply(this, arguments);
    };
  };

  // ------------------------------------------------------------------------------ what the page may call

  const commands = {
    event(name, details) {
      arrive();
      const url = here || address();
      if (!isSilent(url)) send([pack("event", { ...details, id: newId(), pageview, url, name })]);
    },
    identify(id, details) {
      const before = [user, userType].join();
      user = id ? "" + id : undefined;
      userType = details?.user_type;
      if (before != [user, userType].join()) beatNow(); // a page may call it with each rendering
    },
    pageview(details) {
      view(address(details?.url));
    },
    stop() {
      stopped = true;
      close();
    },
    start() {
      if (stopped && !manual) here = "";
      stopped = false;
      arrive();
    },
  };

  // ------------------------------------------------------------------------------------------ links followed

  /** Whether pages of that host are the site's own, as the collector sees it. */
  const isOwn = (host) =>
    host == location.hostname || ("." + host).endsWith("." + options.site.replace(/^www\./, ""));

  /**
   * Tells of a link out of the site or to a file, however it is followed: click, key or middle button. The event is
   * underway or queued when this returns, and a page that closes takes it along: the browser waits for nothing.
   */
  const follow = (event) => {
    const link = event.composedPath().find((node) => node.matches?.("a[href],area[href]"));
    if (manual || event.button > 1 || !link) return;
    const url = new URL(link.getAttribute("href"), page.baseURI);
    const isFile = link.hasAttribute("download") || FILES.test(url.pathname);
    if (!/^http/.test(url.protocol) || (!isFile && isOwn(url.hostname))) return;
    url.hash = "";
    if (isFile) url.search = ""; // where a signature may stand that opens the file
    commands.event(isFile ? "File Download" : "Outbound Link: Click", { props: { url: url.href.slice(0, 2000) } });
  };

  // --------------------------------------------------------------------------------------------- beginning

  const begin = () => {
    const { on, q = [] } = footfall;
    if (on) return; // the page carries the script twice
    window.footfall = guard((command, ...args) => commands[command](...args));
    footfall.on = true;

    if (options.visitor == "browser") {
      guard(() => (visitor = localStorage.footfall_visitor = localStorage.footfall_visitor || newId()))();
    }
    ["pushState", "replaceState"].forEach(guard(watchHistory));
    listen("popstate hashchange", arriveSoon);
    listen("pointerdown pointermove keydown scroll", touch);
    listen("click auxclick", follow);
    listen("focus blur", measure);
    listen("visibilitychange", () => {
      if (!page.hidden) touch();
      beatNow();
    });
    listen("pagehide", close);
    listen("pageshow", (event) => event.persisted && here && view(manual ? here : address()));

    q.forEach((args) => footfall(...args));
    arrive();
    if (404 in options) commands.event("404", { props: { path: location.pathname } });
  };

  const mayNotCount = navigator.globalPrivacyControl || navigator.doNotTrack == "1";

  /** The same lines as the stub that a page may carry: calls wait until the script begins. */
  window.footfall = window.footfall || function () {
    (footfall.q = footfall.q || []).push(arguments);
  };
  if (mayNotCount || !options.site || !api) window.footfall = () => {};
  else if (page.prerendering) listen("prerenderingchange", begin); // perhaps nobody will ever see the page
  else guard(begin)();
})();
