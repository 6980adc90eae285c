/**
 * One request with an end: by time or by a signal, whichever is first. Nothing of it stays behind.
 *
 * @typedef {object} Call
 * @property {string} [method] else GET
 * @property {Record<string, string>} [headers]
 * @property {object} [body] sent as JSON
 * @property {RequestCredentials} [credentials] else none
 * @property {AbortSignal} [signal]
 * @property {boolean} [keepalive] goes on when the page is left
 * @property {number} [limit] in ms, else 20 s
 *
 * @typedef {{ok: boolean, status: number, body: any, wait: number}} Answer `wait`: ms that the server asks for
 */

/**
 * A signal that ends with `outer`, after the time last `set`, or when it is cleared.
 * @param {AbortSignal | undefined} outer @param {number} limit in ms @param {(end?: any) => void} [done] is called at the end
 */
export function fuse(outer, limit, done = () => {}) {
  const ends = new AbortController();
  /** @type {any} */
  let timer;
  const clear = () => {
    clearTimeout(timer);
    ends.abort(); // and with it, what listens to `outer`
    done();
  };
  /** @param {number} ms */
  const set = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(clear, ms);
  };
  set(limit);
  if (outer) outer.addEventListener('abort', clear, ends);
  if (outer && outer.aborted) clear();
  return { signal: ends.signal, set, clear };
}

/** @param {string} url @param {Call} [call] @returns {Promise<Answer>} rejects as `fetch` does */
export async function request(url, { method, headers, body, credentials = 'omit', signal, keepalive, limit = 20000 } = {}) {
  const ends = fuse(signal, limit);
  try {
    const answer = await fetch(url, {
      method,
      headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }), ...headers },
      body: JSON.stringify(body),
      credentials,
      cache: 'no-store',
      keepalive,
      signal: ends.signal,
    });
    const text = await answer.text();
    const wait = 1000 * /** @type {any} */ (answer.headers.get('retry-after')) || 0;
    return { ok: answer.ok, status: answer.status, body: parse(text), wait };
  } finally {
    ends.clear();
  }
}

/** What is no JSON says nothing. @param {any} text */
export function parse(text) {
  try {
    return JSON.parse(text) || {};
  } catch (error) {
    return {}; // a proxy's own page
  }
}

/** Resolves after a time, or at once when the signal ends. @param {number} ms @param {AbortSignal} signal @returns {Promise<unknown>} */
export const pause = (ms, signal) => new Promise((done) => { fuse(signal, ms, done); });

/** Longer with each failure; not all browsers at once after a server came back. @param {number} failures */
export const backoff = (failures) => Math.min(10000, 1000 * 2 ** failures) * (1 - Math.random() / 4);
