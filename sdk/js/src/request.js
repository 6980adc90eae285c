/**
 * One request with an end: by time or by a signal, whichever is first. Nothing of it stays behind.
 *
 * @typedef {object} Call
 * @property {string} [method] else GET
 * @property {Record<string, string>} [headers]
 * @property {unknown} [body] sent as JSON
 * @property {RequestCredentials} [credentials] else none
 * @property {AbortSignal} [signal]
 * @property {number} [limit] in ms, else 20 s
 *
 * @typedef {{ok: boolean, status: number, body: any, wait: number}} Answer `wait`: ms that the server asks for
 */

/** A signal that ends with `outer`, or when the time last `set` is over. @param {AbortSignal} [outer] */
export function fuse(outer) {
  const ends = new AbortController();
  const end = () => ends.abort();
  /** @type {any} */
  let timer;
  if (outer) outer.addEventListener('abort', end);
  if (outer && outer.aborted) end();
  return {
    signal: ends.signal,
    /** @param {number} ms */
    set(ms) {
      clearTimeout(timer);
      timer = setTimeout(end, ms);
    },
    clear() {
      clearTimeout(timer);
      if (outer) outer.removeEventListener('abort', end);
    },
  };
}

/** @param {string} url @param {Call} [call] @returns {Promise<Answer>} rejects as `fetch` does */
export async function request(url, { method = 'GET', headers, body, credentials = 'omit', signal, limit = 20000 } = {}) {
  const ends = fuse(signal);
  ends.set(limit);
  try {
    const answer = await fetch(url, {
      method,
      headers: { accept: 'application/json', ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
      body: body ? JSON.stringify(body) : undefined,
      credentials,
      cache: 'no-store',
      signal: ends.signal,
    });
    const text = await answer.text();
    const wait = 1000 * Number(answer.headers.get('retry-after')) || 0;
    return { ok: answer.ok, status: answer.status, body: parse(text), wait };
  } finally {
    ends.clear();
  }
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text) || {};
  } catch (error) {
    return {}; // a proxy's own page
  }
}

/** Resolves after a time, or at once when the signal ends. @param {number} ms @param {AbortSignal} signal */
export function pause(ms, signal) {
  return /** @type {Promise<void>} */ (new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      done();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  }));
}

/** Longer with each failure; not all browsers at once after a server came back. @param {number} failures */
export const backoff = (failures) => Math.min(10000, 1000 * 2 ** failures) * (1 - Math.random() / 4);
