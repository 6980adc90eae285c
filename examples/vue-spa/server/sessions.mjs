/** Sessions in memory: enough for a sample. Yours are in your framework. */

import { randomBytes } from 'node:crypto';

const HOUR = 3600_000;
/** From the newest scan on while nobody has signed in; from the sign-in on, and then nothing that a browser does makes it longer. */
const LIVES = { nobody: 2 * HOUR, signedIn: 12 * HOUR };
const SCANS = 10; // tabs of one browser; the oldest of many are forgotten
const ATTRIBUTES = `Path=/; HttpOnly; SameSite=Lax${process.env.OWN_URL?.startsWith('https:') ? '; Secure' : ''}`;

const sessions = new Map();
setInterval(sweep, HOUR / 4).unref();

/** What is over is worth nothing in any case: this only tidies. */
export function sweep() {
  for (const [id, { ends }] of sessions) if (ends <= Date.now()) sessions.delete(id);
  return sessions.size;
}

/**
 * One request and the session of its browser. A session is made by the first scan or the sign-in, not by asking. The answer
 * belongs to the request alone: another request of the same browser may be under way, and must not get this one's cookie.
 */
export class Visit {
  #id;
  #response;

  constructor(request, response) {
    this.#id = /(?:^|;\s*)site=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1];
    this.#response = response;
  }

  get #session() {
    const session = sessions.get(this.#id);
    return session && session.ends > Date.now() ? session : undefined;
  }

  get person() {
    return this.#session?.person ?? null;
  }

  /** Keeps what a scan is checked against, by its state, since the person may have two tabs open. */
  keepScan(state, checks) {
    const session = this.#session ?? this.#keep({ scans: new Map() }, LIVES.nobody);
    if (!session.person) session.ends = Date.now() + LIVES.nobody;
    const { scans } = session;
    scans.set(state, checks);
    if (scans.size > SCANS) scans.delete(scans.keys().next().value);
  }

  /** The same again, once. */
  takeScan(state) {
    const scans = this.#session?.scans;
    const checks = scans?.get(state);
    scans?.delete(state);
    return checks;
  }

  /** A fresh id for whoever signs in (session fixation); the other tabs' scans go on. */
  signIn(person) {
    const scans = this.#session?.scans ?? new Map();
    sessions.delete(this.#id);
    this.#keep({ person, scans }, LIVES.signedIn);
    return person;
  }

  signOut() {
    sessions.delete(this.#id);
    this.#response.setHeader('set-cookie', `site=; ${ATTRIBUTES}; Max-Age=0`);
    return null;
  }

  #keep(values, life) {
    this.#id = randomBytes(32).toString('base64url');
    const session = { ...values, ends: Date.now() + life };
    sessions.set(this.#id, session);
    this.#response.setHeader('set-cookie', `site=${this.#id}; ${ATTRIBUTES}`);
    return session;
  }
}
