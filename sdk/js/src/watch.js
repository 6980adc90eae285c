/**
 * Watches one ticket for the browser that waits: a socket, else a stream of events, else held requests, else asking again
 * and again. News is a state, never a person or a code. Nothing is asked while nobody looks; on return there is one
 * question at once.
 *
 *   socket ──► (not heard of) ──► stream ──► (not heard of) ──► held requests ──► (held back) ──► one request every 2 s
 *      ▲
 *      └── question ◄── visible or online again
 *
 * Neither a socket nor `EventSource` can send a header: a socket offers the header's two words as subprotocols, of which
 * the server chooses `Bearer`, and the events are read from `fetch`.
 */
import { backoff, fuse, parse, pause, request } from './request.js';

export { backoff, pause, request } from './request.js';

/**
 * @typedef {{status: string, reason?: string, version: number, seconds_left: number}} News
 *
 * @typedef {object} WatchOptions
 * @property {{status: string, events: string, socket?: string}} urls without `socket`: from a server that has none
 * @property {Record<string, string>} [headers] on each request, such as `authorization`
 * @property {RequestCredentials} [credentials] else `omit`
 * @property {number} [seen] the version that is known
 * @property {(news: News) => void} onNews
 * @property {() => void} onGone the server knows no such ticket (any more)
 *
 * @typedef {{stop: () => void, check: () => void}} Watcher `check` asks once, whoever looks
 */

/** Whether there is more to come. @param {string} status */
export const isOpen = (status) => status === 'waiting' || status === 'scanned';

/** Starts at once, unless the page is hidden; ends by itself after the last news. @param {WatchOptions} options @returns {Watcher} */
export function watch({ urls, headers = {}, credentials = 'omit', seen: version = 0, onNews, onGone }) {
  const whole = new AbortController();
  let life = new AbortController(); // from one look at the page to the next

  function stop() {
    whole.abort();
    life.abort();
  }

  /** @param {any} news of the type News, or `gone` */
  function tell(news) {
    if (whole.signal.aborted || news.version < version) return; // overtaken
    version = news.version;
    if (!isOpen(news.status)) stop();
    if (news.status === 'gone') onGone();
    else onNews(news);
  }

  /** Throws what is no answer of use, as `fetch` does or as it is. @param {boolean} hold wait for a change @param {AbortSignal} signal */
  async function ask(hold, signal) {
    const url = urls.status + (hold ? `?wait=25&seen=${version}` : '');
    const answer = await request(url, { headers, credentials, signal, limit: hold ? 40000 : 10000 });
    if (signal.aborted) return;
    if (answer.ok) return tell(answer.body);
    if (answer.status === 404 || answer.status === 410) return tell({ status: 'gone' });
    throw answer;
  }

  /**
   * One way of being told, to its end; whether something was heard.
   * @param {(hear: (data?: string) => void, signal: AbortSignal) => Promise<void>} way @param {AbortSignal} signal
   */
  async function listen(way, signal) {
    let heard = false;
    const ends = fuse(signal, 8000); // a proxy holds the first news back
    try {
      await way((data) => { // news, or nothing but a sign of life
        const news = parse(data);
        if (news.status) {
          heard = true;
          tell(news);
        }
        if (heard) ends.set(40000); // the server says something each 15 s
      }, ends.signal);
    } catch (error) { // the network, or we
    }
    ends.clear();
    return heard;
  }

  /** @param {(data?: string) => void} hear @param {AbortSignal} signal @returns {Promise<any>} */
  const socket = (hear, signal) => new Promise((done) => {
    const link = new WebSocket(/** @type {string} */ (urls.socket), (headers.authorization || 'Bearer').split(' '));
    link.onclose = link.onerror = done; // a policy that forbids it tells the error alone
    link.onmessage = ({ data }) => {
      if (!signal.aborted) hear(data); // not of a former look
    };
    signal.addEventListener('abort', () => done(link.close()));
  });

  /** @param {(data?: string) => void} hear @param {AbortSignal} signal */
  async function stream(hear, signal) {
    const { body } = await fetch(urls.events, { headers, credentials, cache: 'no-store', signal });
    const reader = /** @type {ReadableStream} */ (body).getReader(); // a refusal has no such lines
    const decoder = new TextDecoder();
    for (let text = ''; ;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (text + decoder.decode(value, { stream: true })).split(/\r?\n/);
      text = /** @type {string} */ (lines.pop());
      for (const line of lines) hear(line.split(/^data: /)[1]);
    }
  }

  /** Held requests, else one every 2 s. @param {AbortSignal} signal */
  async function poll(signal) {
    let hold = true;
    for (let failures = 0; !signal.aborted;) {
      const asked = performance.now();
      const before = version;
      try {
        await ask(hold, signal);
        failures = 0;
        if (version === before && performance.now() - asked < 2000) await pause(2000, signal);
      } catch (error) {
        const { name, wait } = /** @type {{name?: string, wait?: number}} */ (error);
        failures += 1;
        if (name === 'AbortError' || failures > 1) hold = false;
        await pause(wait || backoff(failures), signal);
      }
    }
  }

  /** @param {Event} [returning] */
  async function look(returning) {
    life.abort();
    if (whole.signal.aborted || document.hidden) return;
    life = new AbortController();
    const { signal } = life;
    if (returning) await ask(false, signal).catch(() => {});
    for (const way of urls.socket ? [socket, stream] : [stream]) {
      while (!signal.aborted && await listen(way, signal)) await pause(backoff(0), signal);
    }
    await poll(signal);
  }

  document.addEventListener('visibilitychange', look, whole);
  addEventListener('online', look, whole);
  look();
  return {
    stop,
    check() {
      ask(false, whole.signal).catch(() => {});
    },
  };
}
