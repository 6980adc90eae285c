/** Sessions in memory: enough for a sample. Yours are in your framework. */

import { randomBytes } from 'node:crypto';

const sessions = new Map();
const ATTRIBUTES = `Path=/; HttpOnly; SameSite=Lax${process.env.OWN_URL?.startsWith('https:') ? '; Secure' : ''}`;

class Session {
  constructor(response) {
    this.response = response;
  }

  /** A fresh id for whoever signs in (session fixation). */
  signIn(person) {
    sessions.delete(this.id);
    this.person = person;
    keep(this);
    return person;
  }

  signOut() {
    sessions.delete(this.id);
    this.response.setHeader('set-cookie', `site=; ${ATTRIBUTES}; Max-Age=0`);
    return null;
  }
}

function keep(session) {
  session.id = randomBytes(32).toString('base64url');
  sessions.set(session.id, session);
  session.response.setHeader('set-cookie', `site=${session.id}; ${ATTRIBUTES}`);
}

/** The session of a request; a new one if it has none. */
export function sessionOf(request, response) {
  const id = /(?:^|;\s*)site=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1];
  const session = sessions.get(id) ?? new Session(response);
  session.response = response;
  if (!session.id) keep(session);
  return session;
}
