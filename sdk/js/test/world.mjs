/** A browser without a browser: time, visibility, and a network that a test answers. Nothing here waits in real time. */

const turn = setImmediate;
const REAL = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'fetch', 'document', 'location',
  'history', 'sessionStorage', 'navigator', 'addEventListener', 'removeEventListener', 'open', 'crypto', 'WebSocket', 'top'];

/** An event target that knows how many listen. */
class Listeners {
  constructor() {
    this.all = [];
  }

  add(type, listener, { signal } = {}) {
    if (!this.all.some((each) => each.type === type && each.listener === listener)) this.all.push({ type, listener });
    if (signal) signal.addEventListener('abort', () => this.remove(type, listener));
  }

  remove(type, listener) {
    this.all = this.all.filter((each) => each.type !== type || each.listener !== listener);
  }

  tell(type, event = {}) {
    for (const each of this.all.filter((one) => one.type === type)) each.listener(event);
  }
}

export class World {
  /** @param {(request: {method: string, url: URL, headers: object, body: any, signal: AbortSignal}) => any} answer */
  constructor(answer) {
    this.now = 0;
    this.timers = new Map();
    this.window = new Listeners();
    this.page = new Listeners();
    this.requests = [];
    this.open = 0; // requests without an answer, streams and sockets
    this.sockets = [];
    this.upgrades = false; // without it each socket fails at once, as behind a proxy that knows none
    this.answer = answer;
    this.kept = new Map();
    this.before = REAL.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
    this.install();
  }

  install() {
    const world = this;
    const real = globalThis.crypto;
    this.subtle = real.subtle;
    this.digests = 0;
    let ids = 0;
    const timer = (every) => (work, ms = 0, ...args) => {
      ids += 1;
      this.timers.set(ids, { at: this.now + ms, every: every && ms, work: () => work(...args) });
      return ids;
    };
    const globals = {
      setTimeout: timer(false),
      setInterval: timer(true),
      clearTimeout: (id) => this.timers.delete(id),
      clearInterval: (id) => this.timers.delete(id),
      performance: { now: () => this.now },
      fetch: (url, options) => this.fetch(String(url), options),
      document: {
        hidden: false,
        documentElement: { lang: 'en' },
        addEventListener: (...given) => this.page.add(...given),
        removeEventListener: (type, listener) => this.page.remove(type, listener),
      },
      location: {
        href: 'https://site.example/login', origin: 'https://site.example', pathname: '/login',
        assign: (to) => { world.left = to; },
      },
      history: { state: null, replaceState: (_, __, to) => { globalThis.location.href = to; } },
      sessionStorage: {
        getItem: (key) => (this.kept.has(key) ? this.kept.get(key) : null),
        setItem: (key, value) => this.kept.set(key, value),
        removeItem: (key) => this.kept.delete(key),
      },
      navigator: { userAgent: 'Mozilla/5.0', language: 'en' },
      addEventListener: (...given) => this.window.add(...given),
      removeEventListener: (type, listener) => this.window.remove(type, listener),
      open: (url) => this.popup(url),
      WebSocket: function WebSocket(url, protocols) { return world.socket(url, protocols); },
      crypto: { getRandomValues: (bytes) => real.getRandomValues(bytes), subtle: { digest: (...args) => this.digest(...args) } },
    };
    globals.top = { location: globals.location };
    for (const name of Object.keys(globals)) {
      Object.defineProperty(globalThis, name, { configurable: true, writable: true, value: globals[name] });
    }
  }

  restore() {
    for (const [name, descriptor] of this.before) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else delete globalThis[name];
    }
  }

  /** The real one works in another thread, and `settle` has to know. */
  async digest(...args) {
    this.digests += 1;
    try {
      return await this.subtle.digest(...args);
    } finally {
      this.digests -= 1;
    }
  }

  popup(url) {
    this.window_ = { url, closed: false, focused: 0, close() { this.closed = true; }, focus() { this.focused += 1; } };
    return this.window_;
  }

  async fetch(address, { method = 'GET', headers = {}, body, signal, credentials, keepalive }) {
    const url = new URL(address);
    const request = { method, url, path: url.pathname + url.search, headers, body: body && JSON.parse(body), signal, credentials, keepalive, at: this.now };
    this.requests.push(request);
    if (signal.aborted) throw aborted();
    this.open += 1;
    try {
      const gone = new Promise((_, fail) => { signal.addEventListener('abort', () => fail(aborted())); });
      const answer = await Promise.race([this.answer(request), gone]);
      if (answer instanceof Error) throw answer;
      if (signal.aborted) throw aborted();
      return answer.stream ? this.stream(answer, signal) : json(answer);
    } finally {
      this.open -= 1;
    }
  }

  /** A socket as the page sees it; the test lets the server speak by `hear` and `drop`. */
  socket(url, protocols) {
    this.open += 1;
    let isOpen = true;
    const shut = () => { if (isOpen) this.open -= 1; isOpen = false; };
    const socket = {
      url, protocols, onmessage: null, onclose: null, close: shut,
      hear: (data) => { if (isOpen && socket.onmessage) socket.onmessage({ data }); },
      drop: () => { shut(); if (socket.onclose) socket.onclose({}); },
    };
    this.sockets.push(socket);
    if (!this.upgrades) turn(socket.drop);
    return socket;
  }

  stream({ stream }, signal) {
    const world = this;
    world.open += 1;
    let isOpen = true;
    const end = () => { if (isOpen) world.open -= 1; isOpen = false; };
    const body = new ReadableStream({
      start(controller) {
        stream.send = (text) => { if (isOpen) controller.enqueue(new TextEncoder().encode(text)); };
        stream.end = () => { if (isOpen) controller.close(); end(); };
        signal.addEventListener('abort', () => { if (isOpen) controller.error(aborted()); end(); });
        if (stream.first) stream.send(stream.first);
      },
    });
    return { ok: true, status: 200, headers: new Headers(), body };
  }

  /** Lets everything that waits for nothing but its turn run. */
  async settle() {
    for (let turns = 0; turns < 30 || this.digests; turns += 1) await new Promise((done) => turn(done));
  }

  /** Lets time pass. */
  async pass(ms) {
    const end = this.now + ms;
    await this.settle();
    for (;;) {
      const due = [...this.timers].filter(([, { at }]) => at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      const [id, timer] = due;
      this.now = Math.max(this.now, timer.at);
      if (timer.every) timer.at += timer.every;
      else this.timers.delete(id);
      timer.work();
      await this.settle();
    }
    this.now = end;
  }

  async hide(hidden) {
    globalThis.document.hidden = hidden;
    this.page.tell('visibilitychange');
    await this.settle();
  }

  async online() {
    this.window.tell('online');
    await this.settle();
  }

  /** What would go on by itself: timers, listeners, requests. */
  get leftovers() {
    return { timers: this.timers.size, listeners: this.window.all.length + this.page.all.length, requests: this.open };
  }

  /** Paths asked so far, and forgets them. */
  asked() {
    return this.requests.splice(0).map(({ method, path }) => `${method} ${path}`);
  }
}

export const NOTHING = { timers: 0, listeners: 0, requests: 0 };

const aborted = () => Object.assign(new Error('aborted'), { name: 'AbortError' });

function json({ status = 200, body, headers = {} }) {
  return { ok: status < 300, status, headers: new Headers(headers), body: null, text: async () => (body ? JSON.stringify(body) : '') };
}

export const never = new Promise(() => {});
export const offline = () => new TypeError('Failed to fetch');

/** A status event as the server writes it. */
export const event = (news) => `event: status\ndata: ${JSON.stringify(news)}\n\n`;
