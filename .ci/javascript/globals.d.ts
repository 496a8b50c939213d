// What the scripts say to each other through `window`, and what the type checker may take for granted of our pages.

// ───────── what the scripts give each other: each is described at the top of its file ─────────

interface FootfallStream {
  now(): void;
  polled(): void;
  close(): void;
}

interface FootfallStreamOptions {
  address: string;
  message(type: string, data: any, id?: string): void;
  state(name: string): void;
  refused(status: number): void;
  lastId?: string;
  poll?: boolean;
}

interface FootfallWrite {
  halves(name: string): string[];
  count(n: number): string;
  percent(whole: number): string;
  money(value: number, currency?: string): string;
  time(ms: number, zone?: string, seconds?: boolean): string;
  day(ms: number, zone?: string): string;
  age(ms: number): string;
  country(code: string): string;
}

interface FootfallSay {
  (text: string, values?: Record<string, string | number>): string;
  plural(one: string, several: string, n: number, values?: Record<string, string | number>): string;
}

interface FootfallSpark {
  draw(node: Element, points: [number, number | null][], options?: object): void;
  make(name: string, attributes: Record<string, string | number>): SVGElement;
  span(className: string, text: string, left?: number | null, top?: number): HTMLSpanElement;
}

/** What the scripts of our pages give each other: `window.footfall`. */
interface Footfall {
  watch(selector: string, call: (node: any) => any, ...attributes: string[]): void;
  setProps(id: string, props: object): void;
  moveFocus(ids: string[]): void;
  stream(options: FootfallStreamOptions): FootfallStream;
  sharedStream(options: FootfallStreamOptions): FootfallStream;
  write: FootfallWrite;
  say: FootfallSay;
  /** Translations by English text, and the form that belongs to a number (assets/words/); English has none. */
  words?: Record<string, any>;
  plural?(n: number): number;
  spark: FootfallSpark;
  feed: {add(items: object[], known?: any): void; show(...past: any[]): void; clear(): void};
  check: {take(data: any): void};
  rewind: {shown(...at: any[]): void};
  live: any;
  /** Of the site script's stub, on a visited page. */
  q?: any;
}

interface Window {
  /** Our components by name, as Dash finds them, and what they share: `address`, `drawing`, `notice`. */
  footfall_components: any;
  /** What Dash gives scripts: `set_props(id, props)` and the callbacks that `footfall` adds. */
  dash_clientside: any;
  /** Shorter waits, in ms, which tests set. */
  footfallTimes?: Record<string, number>;
  /** plotly.js; a promise of it until it has arrived (assets/lib/figures.js). */
  Plotly: any;
  /** On our pages a `Footfall`; on a visited page the site script's command, or the stub of the snippet before. */
  footfall: any;
}

/** React, which Dash puts on every page. */
declare const React: any;

declare const footfall: Footfall;

// ───────── our pages: HTML elements, but for what `make` draws ─────────

/** What `firstChild` gives is an element. */
interface ChildNode {
  hidden: any;
  className: string;
}

interface ParentNode {
  querySelector<K extends keyof HTMLElementTagNameMap>(selectors: K): HTMLElementTagNameMap[K];
  querySelector<E extends Element = HTMLElement>(selectors: string): E;
  querySelectorAll<K extends keyof HTMLElementTagNameMap>(selectors: K): NodeListOf<HTMLElementTagNameMap[K]>;
  querySelectorAll<E extends Element = HTMLElement>(selectors: string): NodeListOf<E>;
}

interface Element {
  closest<K extends keyof HTMLElementTagNameMap>(selector: K): HTMLElementTagNameMap[K];
  closest<E extends Element = HTMLElement>(selectors: string): E;
}

type OfElement<E extends Event> = E & {readonly target: HTMLElement};
type OfField<E extends Event> = E & {readonly target: HTMLInputElement; readonly isComposing?: boolean};

interface Document {
  addEventListener(type: "click", listener: (event: OfElement<MouseEvent>) => any, options?: AddEventListenerOptions): void;
  addEventListener(type: "keydown", listener: (event: OfElement<KeyboardEvent>) => any, options?: AddEventListenerOptions): void;
  addEventListener(type: "submit", listener: (event: OfElement<SubmitEvent>) => any, options?: AddEventListenerOptions): void;
  addEventListener(type: "toggle", listener: (event: OfElement<ToggleEvent>) => any, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: "input" | "change" | "focusin", listener: (event: OfField<Event>) => any, options?: AddEventListenerOptions): void;
}

interface Navigator {
  readonly globalPrivacyControl?: boolean;
}
