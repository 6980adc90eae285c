/**
 * Watches one ticket for the browser that waits: pushed events, else held requests, else asking again and again. News
 * is a state, never a person or a code. Nothing is asked while nobody looks; on return there is one question at once.
 *
 *   stream ──► (does not get through) ──► held requests ──► (held back) ──► one request every 2 s
 *      ▲
 *      └── question ◄── visible or online again
 *
 * `EventSource` cannot send a header, so the events are read from `fetch`.
 */
import { backoff, fuse, pause, request } from './request.js';

export { backoff, pause, request } from './request.js';

/**
 * @typedef {{status: string, reason?: string, version: number, seconds_left: number}} News
 *
 * @typedef {object} WatchOptions
 * @property {{status: string, events: string}} urls
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
export function watch({ urls, headers, credentials = 'omit', seen = 0, onNews, onGone }) {
  const whole = new AbortController();
  let life = new AbortController(); // from one look at the page to the next
  let version = seen;

  function stop() {
    whole.abort();
    life.abort();
  }

  /** @param {News} news */
  function tell(news) {
    if (whole.signal.aborted || news.version < version) return; // overtaken
    version = news.version;
    if (!isOpen(news.status)) stop();
    onNews(news);
  }

  function gone() {
    if (whole.signal.aborted) return;
    stop();
    onGone();
  }

  /** @param {boolean} hold wait for a change @param {AbortSignal} signal */
  async function ask(hold, signal) {
    const url = urls.status + (hold ? `?wait=25&seen=${version}` : '');
    const answer = await request(url, { headers, credentials, signal, limit: hold ? 40000 : 10000 });
    if (signal.aborted) return;
    if (answer.ok) return tell(answer.body);
    if (answer.status === 404 || answer.status === 410) return gone();
    throw Object.assign(new Error(), { wait: answer.wait });
  }

  /** One stream of events, to its end; whether something was heard. @param {AbortSignal} signal */
  async function stream(signal) {
    let heard = false;
    const ends = fuse(signal);
    ends.set(8000); // a proxy holds the first event back
    try {
      const answer = await fetch(urls.events, {
        headers: { accept: 'text/event-stream', ...headers }, credentials, cache: 'no-store', signal: ends.signal,
      });
      if (!answer.ok || !answer.body) return false;
      const reader = answer.body.getReader();
      const decoder = new TextDecoder();
      for (let text = ''; !signal.aborted;) {
        const { done, value } = await reader.read();
        if (done) break;
        const events = (text + decoder.decode(value, { stream: true })).split(/\r?\n\r?\n/);
        text = /** @type {string} */ (events.pop());
        for (const event of events) heard = take(event) || heard;
        if (heard) ends.set(45000); // the server says something each 15 s
      }
    } catch (error) { // the network, or we
    } finally {
      ends.clear();
    }
    return heard;
  }

  /** @param {string} event */
  function take(event) {
    const [, name, data] = /^event: (.*)\r?\n^data: (.*)$/m.exec(event) || [];
    if (name === 'gone') gone();
    if (name === 'status') tell(JSON.parse(data));
    return Boolean(name);
  }

  /** Held requests, else one every 2 s. @param {AbortSignal} signal */
  async function poll(signal) {
    let hold = true;
    let failures = 0;
    while (!signal.aborted) {
      const [asked, before] = [performance.now(), version];
      try {
        await ask(hold, signal);
        failures = 0;
        if (version === before && performance.now() - asked < 2000) await pause(2000, signal);
      } catch (error) {
        const { name, wait } = /** @type {{name: string, wait?: number}} */ (error);
        failures += 1;
        if (name === 'AbortError' || failures > 1) hold = false;
        await pause(wait || backoff(failures), signal);
      }
    }
  }

  /** @param {boolean} returning */
  async function look(returning) {
    life.abort();
    if (whole.signal.aborted || document.hidden) return;
    life = new AbortController();
    const { signal } = life;
    if (returning) await ask(false, signal).catch(() => {});
    while (!signal.aborted && await stream(signal)) await pause(1000, signal);
    await poll(signal);
  }

  function resume() {
    look(true);
  }

  document.addEventListener('visibilitychange', resume, whole);
  addEventListener('online', resume, whole);
  look(false);
  return {
    stop,
    check() {
      ask(false, whole.signal).catch(() => {});
    },
  };
}
