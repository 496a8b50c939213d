/*
 * The site script: counts the visits of a site that includes it.
 *
 *   <script defer src="https://stats.example.com/js/footfall.js" data-site="example.com"></script>
 *
 * It sends a pageview for each page, a heartbeat every 30 s while the page is visible, and a leave at the end. Outbound
 * links, downloads and, with data-404, missing pages are sent as events. It stores nothing in the browser unless
 * data-visitor="browser" is set, sends nothing under Global Privacy Control or Do Not Track, and never throws an error
 * into the page.
 *
 * It does not rely on the globals of the page. A `const` of the page shadows a global, so globals are read from
 * `window`. A named element shadows a property of the document, so `own` reads the property from the prototype. The page
 * may have patched prototypes, so a pageview calls no method of arrays or strings, and objects that become JSON have no
 * prototype.
 *
 * Visitors get footfall.min.js: run `python collector/tracker/build.py` after each change of this file.
 */
try {
  (() => {
    const HEARTBEAT_MS = 30000;
    const IDLE_AFTER_MS = 60000; // without pointer, key or scroll
    const MEASURE_MS = 250; // the shortest time between two measurements, however fast input comes
    const ROUTER_MS = 100; // a router may redirect, and sets the title, shortly after it changed the address
    const TITLE_MS = 10000; // after this time in use, a title equal to the previous page's is the page's own
    const ANSWER_MS = 20000; // time-out of a request
    const RETRIES = 3;
    const MAX_WAITING = 20000; // characters, at most 60 kB: a closing page may send 64 KiB
    const FILES = /\.(7z|avi|csv|dmg|exe|gz|key|m(idi?|ov|p[34]|pe?g)|p(df|kg)|r(ar|tf)|txt|w[am][av]|(doc|xls|pp[st])x?|zip)$/i;

    const page = document; // no page can shadow `document`, `window` and `location`
    const global = window;
    const { navigator, URL, fetch, history, Reflect } = global;

    // -------------------------------------------------------------------------------------------- tools

    /** Wraps a function so that its errors do not reach the page. */
    const guard = (work) => (first, second) => {
      try {
        return work(first, second);
      } catch {}
    };

    const later = guard((work, ms) => global.setTimeout(guard(work), ms));

    /** Listens on `window` in the capture phase, so that no listener of the page can stop the event first. */
    const listen = guard((type, work) => global.addEventListener(type, guard(work), true));

    /** A property of the document, read from its prototype, so that no named element can shadow it. */
    const own = (name) => Reflect.get(Reflect.getPrototypeOf(page), name, page);

    /** A property of the document as the page sees it, or `own` if a named element shadows it. */
    const read = (name) => (typeof page[name] == typeof own(name) ? page[name] : own(name));

    const clock = () => guard(() => global.performance.now())();

    /** At most 36 characters. Random and time: the page may have patched Math.random, and other tabs share the time. */
    const newId = () => "" + guard(() => global.Math.random())() + (+new global.Date() % 1e9);

    const said = {};

    /** Writes a warning to the console, at most once for each text. */
    const warn = guard((what) => {
      if (!said[what]) global.console.warn("Footfall: wrong " + (said[what] = what));
    });

    /** The fields as strings; with `plain`, numbers and booleans keep their type. Drops fields that have no text. */
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
    let { user, userType } = options; // a template writes data-user="" if nobody is signed in
    let visitor; // the id that localStorage keeps, only with data-visitor="browser"

    let pageview; // the id of the current pageview; empty before the first one, on excluded pages and when stopped
    let here = ""; // the address of the latest page, counted or not
    let referrer = read("referrer");
    let title; // when the page was last measured
    let titleBefore; // the title of the previous page of the same document (single-page application)
    let engaged; // how long the page was visible, focused and in use, in milliseconds
    let scroll; // the deepest scroll position, in percent of the page

    let measured = 0; // when `engaged` was last updated
    let touched = 0; // the last input of the visitor
    let watching; // whether the page was visible and focused at the last measurement
    let beats = 0; // the number of heartbeats: only the latest one schedules the next
    let routerTimer; // set while the screen may already show the next page

    let sending = ""; // pageviews, events and leaves in flight or to be retried, as comma-separated JSON
    let queue = ""; // those that were added since
    let heartbeat = ""; // only the newest: its totals include those of older ones
    let busy; // a request is in flight, or a retry is scheduled
    let failures = 0; // requests in a row without an answer

    // ------------------------------------------------------------------------------------ what is not counted

    /** The full address of a page, with its fragment only if data-hash is set. */
    const address = (to) => {
      const url = to ? new URL(to, /** @type {any} */ (location)) : location;
      const whole = url.origin + url.pathname + url.search + ("hash" in options ? url.hash : "");
      return whole[4000] ? whole.slice(0, 4000) : whole;
    };

    /** data-exclude: `*` matches within a path segment, `**` matches everything, a comma separates patterns. */
    const wildcards = { "**": ".*", "*": "[^/]*", ",": "|", " ": "" };
    const excluded =
      options.exclude &&
      new global.RegExp(`^(${options.exclude.replace(/\*\*|\W/g, (found) => wildcards[found] ?? "\\" + found)})$`);

    /** Whether a page is not counted: stopped, excluded, or not http(s), such as a local file. */
    const isSilent = (url) => stopped || url[0] != "h" || excluded?.test(new URL(url).pathname + new URL(url).hash);

    // --------------------------------------------------------------------------------------------- sending

    /** The JSON of one event, made at once: the page may change its objects before the request is sent. */
    const pack = (type, fields, more) =>
      global.JSON.stringify({
        __proto__: null,
        ...more,
        ...clean({ ...fields, visitor_id: visitor, site, user_id: user, type, user_type: userType }),
      });

    const join = (body, event) => (body + (body && event && ",") + event);

    const enqueue = (event) => {
      if ((sending + queue + event).length < MAX_WAITING) queue = join(queue, event);
    };

    const beacon = guard((body) => navigator.sendBeacon(api, `[${body}]`));

    /** Posts the events as text/plain, which needs no preflight. Returns the seconds of `Retry-After`, if any. */
    const post = async (body) => {
      try {
        const answer = await fetch(api, {
          credentials: "omit",
          body: `[${body}]`,
          keepalive: true,
          method: "POST",
          signal: global.AbortSignal?.timeout?.(ANSWER_MS),
        });
        const words = await answer.text(); // unread answers count towards a page's limit of 64 KiB
        const wait = answer.headers.get("Retry-After");
        if (/error/.test(words)) warn(words);
        if (wait || answer.status > 428) return wait;
        failures = 0;
        sending = "";
      } catch {
        if (!/native/.test(/** @type {any} */ (fetch))) beacon(body); // the page's wrapper may have failed
      }
    };

    /**
     * Sends the queue, one request at a time to keep the order. If there is no answer, or a 429, a 5xx or `Retry-After`,
     * the same events with the same ids are retried three times after growing pauses, and then with the next event or
     * heartbeat. Heartbeats are never retried. Any other answer is final, whether it accepts the events or rejects them.
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

    // -------------------------------------------------------------------------------- the current pageview

    /** Updates the totals of the pageview. */
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

    /** The title may be set late: as long as it is the previous page's, it is left out. */
    const totals = () => ({
      pageview,
      scroll,
      engaged_ms: engaged >>> 0,
      title: title == titleBefore && engaged < TITLE_MS ? "" : title,
    });

    /** Makes a heartbeat of the totals, and schedules the next one while the page is visible. */
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

    /** Ends the current pageview, if there is one: adds its leave to the queue. */
    const leave = () => {
      if (pageview) enqueue(pack("leave", {}, totals()));
      pageview = heartbeat = "";
    };

    /** Begins a pageview at an address. The leave of the previous page and the pageview go in one request. */
    const view = (url, before) => {
      leave();
      here = url;
      if (!isSilent(url)) {
        measure();
        engaged = scroll = 0; // nothing of the new page was seen so far: it may still be blank
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
        referrer = ""; // the next page is reached from this site
        beat();
      }
      flush();
    };

    /** Ends the pageview and sends the queue by a beacon, which outlives the page. */
    const close = () => {
      measure();
      leave();
      const body = join(sending, queue);
      sending = queue = "";
      if (body && !beacon(body)) post(body);
    };

    // ----------------------------------------------------------------------------------------- navigation

    /** An address without query and trailing slashes: replaceState may change these and stay on the page. */
    const bare = (url) => url.replace(/[/]*(\?[^#]*)?(?=#|$)/g, "");

    /** Begins a pageview if the address differs from that of the latest page. */
    const arrive = () => {
      routerTimer = 0;
      const url = address();
      if (!manual && !stopped && url != here) view(url, here && title);
    };

    const arriveSoon = () => {
      routerTimer = routerTimer || later(arrive, ROUTER_MS);
    };

    /** Wraps pushState and replaceState. replaceState is a navigation only if the page differs, see `bare`. */
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

    // -------------------------------------------------------------------------------- commands of the page

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
        if (before != pack()) beatNow(); // a page may call it with each render
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

    // ------------------------------------------------------------------------------------------------- links

    /** Whether the host belongs to the site, by the collector's rule. */
    const isOwn = (host) => host == location.hostname || ("." + host).endsWith("." + site.replace("www.", ""));

    /**
     * Sends an event for an outbound link or a download, followed by click, key or middle button. The event is in flight
     * or queued when this returns, and a closing page sends the queue, so the navigation is not delayed.
     */
    const follow = (event) => {
      for (const link of event.composedPath())
        if (link.relList && link.href) {
          const url = new URL(link.getAttribute("href"), own("baseURI"));
          const isFile = link.hasAttribute("download") || FILES.test(url.pathname);
          if (event.button > 1 || manual || url.href[0] != "h" || (!isFile && isOwn(url.hostname))) return;
          url.hash = "";
          if (isFile) url.search = ""; // may contain a signature that grants access to the file
          return commands.event(isFile ? "File Download" : "Outbound Link: Click", { props: { url: url.href } });
        }
    };

    // ----------------------------------------------------------------------------------------------- start

    const begin = () => {
      const before = global.footfall;
      const { on, q } = before;
      const sites = on || {};
      if (sites[api + site]) return; // the page includes the script twice
      sites[api + site] = true;

      /** @type {any} */
      const calls = (global.footfall = (command, ...details) => {
        guard(commands[command])(...details);
        if (on) guard(before)(command, ...details); // the page includes the script of another site too
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

    /** The same stub as in the snippet: calls are queued until the script begins. */
    global.footfall = global.footfall || function () {
      (footfall.q = footfall.q || []).push(arguments);
    };
    if (mayNotCount || !site) global.footfall = () => {};
    else if (read("prerendering")) listen("prerenderingchange", begin); // the page may never be shown
    else begin();
  })();
} catch {}
