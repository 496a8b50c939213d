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
 * It trusts no name of the page. A `const` of the page shadows a global, so globals are read from `window`. An element
 * with a name hides what the document says, so `own` looks behind it. Prototypes may be patched, so a pageview
 * needs no method of arrays and texts, and what becomes JSON has no prototype.
 *
 * Visitors get footfall.min.js: run `python collector/tracker/build.py` after a change here.
 */
try {
  (() => {
    const HEARTBEAT_MS = 30000;
    const IDLE_AFTER_MS = 60000; // without pointer, key or scroll
    const MEASURE_MS = 250; // however fast input comes, the page is measured no more often
    const ROUTER_MS = 100; // a router may redirect, and sets the title, shortly after it changed the address
    const TITLE_MS = 10000; // used for so long, a page that still has the title of the page before shares it
    const ANSWER_MS = 20000; // an answer that takes longer is none
    const RETRIES = 3;
    const MOST_WAITING = 20000; // characters, 60 kB at worst: a page that closes may send 64 KiB
    const FILES = /\.(7z|avi|csv|dmg|exe|gz|key|m(idi?|ov|p[34]|pe?g)|p(df|kg)|r(ar|tf)|txt|w[am][av]|(doc|xls|pp[st])x?|zip)$/i;

    const page = document; // this, `window` and `location` are the names that no page can shadow
    const global = window;
    const { navigator, URL, fetch, history, Reflect } = global;

    // -------------------------------------------------------------------------------------------- tools

    /** The same function, with its errors kept from the page. */
    const guard = (work) => (first, second) => {
      try {
        return work(first, second);
      } catch {}
    };

    const later = guard((work, ms) => global.setTimeout(guard(work), ms));

    /** Listens at the top and on the way down, where no listener of the page can stop the event before. */
    const listen = guard((type, work) => global.addEventListener(type, guard(work), true));

    /** What the browser says of the document, whatever lies in front of it. */
    const own = (name) => Reflect.get(Reflect.getPrototypeOf(page), name, page);

    /** What the document says, unless an element stands there instead of a text, a flag or a function. */
    const read = (name) => (typeof page[name] == typeof own(name) ? page[name] : own(name));

    const clock = () => guard(() => global.performance.now())();

    /** At most 36 characters, made of chance and time: a page may have patched the one, and shares the other. */
    const newId = () => "" + guard(() => global.Math.random())() + (+new global.Date() % 1e9);

    const said = {};

    /** One line in the console, once. */
    const warn = guard((what) => {
      if (!said[what]) global.console.warn("Footfall: wrong " + (said[what] = what));
    });

    /** The fields as text; numbers and flags stay what they are where they may. What has no text is left out. */
    const clean = (fields, plain) => {
      const made = { __proto__: null };
      for (const name in (fields = { __proto__: null, ...fields })) {
        const value = fields[name] ?? "";
        const text = guard(() => "" + value)();
        if (text == null || text[0] + text[7] == "[ ") warn(name); // like [object Object]
        else if (text) made[name] = plain && (value === +text || value === !!value) ? value : text;
      }
      return made;
    };

    // -------------------------------------------------------------------------------------------- state

    const script = own("currentScript") || page.querySelector("script[data-site]");
    const options = { __proto__: null, ...script.dataset };
    const { site } = options;
    const api = options.api || new URL("../api/collect", script.src);
    const manual = "manual" in options;

    let stopped = false; // by footfall("stop")
    let { user, userType } = options; // a template writes data-user="" for nobody
    let visitor; // the browser's own id, only with data-visitor="browser"

    let pageview; // the id of the pageview that runs: none before the first, on excluded pages, when stopped
    let here = ""; // the address of the latest page, counted or not
    let referrer = read("referrer");
    let title; // when the page was last measured
    let titleBefore; // of the page before, where one document has many pages
    let engaged; // how long the page was visible, focused and in use, in milliseconds
    let scroll; // how much of the page was seen at most, in percent

    let measured = 0; // when `engaged` was brought up to date
    let touched = 0; // when the visitor last did something
    let watching; // was the page visible and focused when measured?
    let beats = 0; // heartbeats so far: only the last one arranges for the next
    let routerTimer; // set while what is on the screen may belong to the next page already

    let sending = ""; // pageviews, events and leaves underway, or to be sent again, as JSON with commas between
    let queue = ""; // those since
    let heartbeat = ""; // at most one, the newest: its totals make the ones before needless
    let busy; // waiting for an answer or for the time of a retry
    let failures = 0; // since the last answer

    // ----------------------------------------------------------------------------------- what to be silent on

    /** The whole address of a page; its fragment only with data-hash, where that names the page. */
    const address = (to) => {
      const url = to ? new URL(to, /** @type {any} */ (location)) : location;
      const whole = url.origin + url.pathname + url.search + ("hash" in options ? url.hash : "");
      return whole[4000] ? whole.slice(0, 4000) : whole;
    };

    /** data-exclude: `*` is anything within a segment, `**` anything at all, the comma means "or". */
    const wildcards = { "**": ".*", "*": "[^/]*", ",": "|", " ": "" };
    const excluded =
      options.exclude &&
      new global.RegExp(`^(${options.exclude.replace(/\*\*|\W/g, (found) => wildcards[found] ?? "\\" + found)})$`);

    /** A file on a disk is nobody's page. */
    const isSilent = (url) => stopped || url[0] != "h" || excluded?.test(new URL(url).pathname + new URL(url).hash);

    // ----------------------------------------------------------------------------------------- the way out

    /** The JSON of one event, made at once: the page may change its objects before it is sent. */
    const pack = (type, fields, more) =>
      global.JSON.stringify({
        __proto__: null,
        ...more,
        ...clean({ ...fields, visitor_id: visitor, site, user_id: user, type, user_type: userType }),
      });

    const join = (body, event) => (body + (body && event && ",") + event);

    const enqueue = (event) => {
      if ((sending + queue + event).length < MOST_WAITING) queue = join(queue, event);
    };

    const beacon = guard((body) => navigator.sendBeacon(api, `[${body}]`));

    /** Sends text/plain, as strings go, which needs no preflight. Returns for how many seconds to wait, if that was said. */
    const post = async (body) => {
      try {
        const answer = await fetch(api, {
          credentials: "omit",
          body: `[${body}]`,
          keepalive: true,
          method: "POST",
          signal: global.AbortSignal?.timeout?.(ANSWER_MS),
        });
        const words = await answer.text(); // until then its request uses up the 64 KiB that a page may have under way
        const wait = answer.headers.get("Retry-After");
        if (/error/.test(words)) warn(words);
        if (wait || answer.status > 428) return wait;
        failures = 0;
        sending = "";
      } catch {
        if (!/native/.test(/** @type {any} */ (fetch))) beacon(body); // what wraps it may have broken it
      }
    };

    /**
     * Sends what waits, one request at a time to keep the order. What gets no answer, 429, 5xx, or `Retry-After` for a
     * part of it, goes again with the same ids after growing pauses, three times, and then only with the next event or
     * heartbeat. A heartbeat goes once. Whatever was judged, good or bad, is done with.
     */
    const flush = async () => {
      if (busy) return;
      sending = join(sending, queue);
      queue = "";
      const body = join(sending, heartbeat);
      if (!body) return;
      busy = true;
      heartbeat = "";
      if (failures <= RETRIES) failures++;
      const wait = await post(body);
      later(
        () => {
          busy = false;
          if (failures <= RETRIES) flush();
        },
        (+wait || failures * failures) * 1e3 + clock() % 1e3,
      );
    };

    // ---------------------------------------------------------------------------------------- one pageview

    /** Brings the totals of the pageview up to date. */
    const measure = guard(() => {
      const now = clock();
      const until = now < touched + IDLE_AFTER_MS ? now : touched + IDLE_AFTER_MS;
      if (watching && until > measured) engaged += until - measured;
      measured = now;
      watching = !read("hidden") && read("hasFocus").call(page);
      if (routerTimer) return;
      title = read("title");
      const seen = (((global.scrollY + global.innerHeight) / own("documentElement").scrollHeight) * 100 + 0.5) >>> 0;
      if (seen > scroll) scroll = seen < 100 ? seen : 100;
    });

    const touch = () => {
      const now = clock();
      if (now - measured > MEASURE_MS) measure();
      touched = now;
    };

    /** The title may be set late: until then it is that of the page before, which is not told. */
    const totals = () => ({
      pageview,
      scroll,
      engaged_ms: engaged >>> 0,
      title: title == titleBefore && engaged < TITLE_MS ? "" : title,
    });

    /** Makes a heartbeat of the totals, and arranges for the next one while the page is visible. */
    const beat = () => {
      const hidden = read("hidden");
      const turn = ++beats;
      const used = measured >= touched + IDLE_AFTER_MS ? "idle" : "active";
      heartbeat = pack("heartbeat", { url: here, state: hidden ? "hidden" : used }, totals());
      if (!hidden) later(() => turn == beats && beatNow(), HEARTBEAT_MS);
    };

    const beatNow = () => {
      if (!pageview) return;
      measure();
      beat();
      flush();
    };

    /** Ends the pageview that runs, if one does: its leave waits to be sent. */
    const leave = () => {
      if (pageview) enqueue(pack("leave", {}, totals()));
      pageview = heartbeat = "";
    };

    /** Begins a pageview at an address. One body tells of the page left and of the page reached. */
    const view = (url, before) => {
      leave();
      here = url;
      if (!isSilent(url)) {
        measure();
        engaged = scroll = 0; // of the new page nothing was seen so far: it may still be blank
        touched = measured;
        titleBefore = before;
        pageview = newId();
        const { width, height } = global.screen;
        enqueue(
          pack(
            "pageview",
            {
              id: pageview,
              url,
              referrer,
              timezone: guard(() => global.Intl.DateTimeFormat().resolvedOptions().timeZone)(),
              language: navigator.language,
            },
            width > 0 && !/** @type {any} */ ([]).toJSON ? { ...totals(), screen: [width, height] } : totals(),
          ),
        );
        referrer = ""; // whoever walks on comes from this very site
        beat();
      }
      flush();
    };

    /** Ends the pageview and sends what waits by a beacon, which outlives the page. */
    const close = () => {
      measure();
      leave();
      const body = join(sending, queue);
      sending = queue = "";
      if (body && !beacon(body)) post(body);
    };

    // ----------------------------------------------------------------------------------------- navigation

    /** What of an address names the page where the page itself says that it stays: no query, and no slash at an end. */
    const bare = (url) => url.replace(/[/]*(\?[^#]*)?(?=#|$)/g, "");

    /** Begins a pageview if the address is another than that of the latest page. */
    const arrive = () => {
      routerTimer = 0;
      const url = address();
      if (!manual && !stopped && url != here) view(url, here && title);
    };

    const arriveSoon = () => {
      routerTimer = routerTimer || later(arrive, ROUTER_MS);
    };

    /** replaceState is a move only where it names another page. */
    const watchHistory = guard((method) => {
      const original = history[method];
      history[method] = function () {
        try {
          return original.apply(this, arguments);
        } finally {
          guard(() => {
            if (method == "pushState" || routerTimer || bare(address()) != bare(here)) arriveSoon();
            else here = address();
          })();
        }
      };
    });

    // ------------------------------------------------------------------------------ what the page may call

    const commands = {
      __proto__: null,
      event(name, details) {
        arrive();
        const { props, value } = details || {};
        const url = here || address();
        if (isSilent(url)) return;
        enqueue(
          pack(
            "event",
            { ...details, pageview, id: newId(), url, name, value: "", props: "" },
            { value: value && +value, props: props && clean(props, true) },
          ),
        );
        flush();
      },
      identify(id, details) {
        const before = pack();
        user = id || "";
        userType = details?.user_type;
        if (before != pack()) beatNow(); // a page may call it with each rendering
      },
      pageview(details) {
        view(address(details?.url));
      },
      stop() {
        stopped = true;
        close();
      },
      start() {
        if (stopped) here = "";
        stopped = false;
        arrive();
      },
    };

    // ---------------------------------------------------------------------------------------- links followed

    /** Whether pages of that host are the site's own, as the collector sees it. */
    const isOwn = (host) => host == location.hostname || ("." + host).endsWith("." + site.replace("www.", ""));

    /**
     * Tells of a link out of the site or to a file, however it is followed: click, key or middle button. The event is
     * underway or queued when this returns, and a page that closes takes it along: the browser waits for nothing.
     */
    const follow = (event) => {
      for (const link of event.composedPath())
        if (link.relList && link.href) {
          const url = new URL(link.getAttribute("href"), own("baseURI"));
          const isFile = link.hasAttribute("download") || FILES.test(url.pathname);
          if (event.button > 1 || manual || url.href[0] != "h" || (!isFile && isOwn(url.hostname))) return;
          url.hash = "";
          if (isFile) url.search = ""; // where a signature may stand that opens the file
          return commands.event(isFile ? "File Download" : "Outbound Link: Click", { props: { url: url.href } });
        }
    };

    // ------------------------------------------------------------------------------------------- beginning

    const begin = () => {
      const before = global.footfall;
      const { on, q } = before;
      const sites = on || {};
      if (sites[api + site]) return; // the page carries the same line twice
      sites[api + site] = true;

      /** @type {any} */
      const calls = (global.footfall = (command, ...details) => {
        guard(commands[command])(...details);
        if (on) guard(before)(command, ...details); // the line of another site, which the page carries as well
      });
      calls.on = sites;

      if (options.visitor == "browser") {
        guard(() => (visitor = global.localStorage.footfall_visitor = global.localStorage.footfall_visitor || newId()))();
      }
      watchHistory("pushState");
      watchHistory("replaceState");
      listen("popstate", arriveSoon);
      listen("hashchange", arriveSoon);
      listen("pointerdown", touch);
      listen("pointermove", touch);
      listen("keydown", touch);
      listen("scroll", touch);
      listen("click", follow);
      listen("auxclick", follow);
      listen("focus", measure);
      listen("blur", measure);
      listen("visibilitychange", () => {
        touch();
        beatNow();
      });
      listen("pagehide", close);
      listen("pageshow", (event) => event.persisted && view(here));

      guard(() => {
        for (const call of q) calls(...call);
      })();
      arrive();
      if (404 in options) commands.event("404", { props: { path: location.pathname } });
    };

    const mayNotCount = navigator.globalPrivacyControl || /** @type {any} */ (navigator.doNotTrack) > 0;

    /** The same lines as the stub that a page may carry: calls wait until the script begins. */
    global.footfall = global.footfall || function () {
      (footfall.q = footfall.q || []).push(arguments);
    };
    if (mayNotCount || !site) global.footfall = () => {};
    else if (read("prerendering")) listen("prerenderingchange", begin); // perhaps nobody will ever see the page
    else begin();
  })();
} catch {}
