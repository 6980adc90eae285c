/**
 * The back end of a pretend app, and the app itself as a web page.
 *
 *   node server.mjs                       listens on http://127.0.0.1:8950
 *   MASHANG_URL=… CHANNEL=… PORT=… OWN_URL=https://… node server.mjs
 *
 * A real app keeps its person signed in, gets a token from its back end, and calls the phone API itself. A web page may
 * not do that (the phone API answers no other website's pages), so here the back end passes the calls on.
 */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

import { TokenIssuer } from './tokens.mjs';

/** The app's people. Yours come from your own sign-in. */
const PEOPLE = { ming: '小明', hong: '小红' };
const STEPS = ['scan', 'context', 'approve', 'deny'];
const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/app.mjs': ['app.mjs', 'text/javascript; charset=utf-8'],
  '/link.mjs': ['link.mjs', 'text/javascript; charset=utf-8'],
  '/purpose.mjs': ['purpose.mjs', 'text/javascript; charset=utf-8'],
};

/** How long somebody stays signed in to the app, in milliseconds. */
const SESSION = 12 * 3600_000;

/** Starts it; port 0 takes any free one. `ownUrl` is where browsers and Mashang find it, if not here. */
export async function startOwnApp({ mashang, channel = 'myapp', port = 8950, ownUrl }) {
  const sessions = new Map();
  const sweeper = setInterval(() => {
    for (const [id, { ends }] of sessions) if (ends <= Date.now()) sessions.delete(id);
  }, SESSION / 12).unref();
  const listener = createServer();
  listener.listen(port, '127.0.0.1');
  await once(listener, 'listening');
  const here = `http://127.0.0.1:${listener.address().port}`;
  const url = ownUrl ?? here;
  const attributes = `HttpOnly; SameSite=Strict; Path=/${url.startsWith('https:') ? '; Secure' : ''}`;
  const issuer = new TokenIssuer(url, 'mashang');
  listener.on('request', (request, response) => {
    answer(request).then(
      ([status, body, headers]) => send(response, status, body, headers),
      (error) => send(response, 502, { error: 'network', message: String(error.message ?? error) }),
    );
  });

  /** Every address of the back end. */
  async function answer(request) {
    if (!URL.canParse(request.url, url)) return [400, { error: 'not_an_address' }]; // "GET //"
    const { pathname } = new URL(request.url, url);
    const [, area, code, step] = pathname.split('/');
    if (request.method === 'GET') {
      if (pathname === '/.well-known/openid-configuration') return [200, issuer.discovery()];
      if (pathname === '/jwks') return [200, issuer.jwks()];
      if (pathname === '/settings') return [200, { mashang, people: PEOPLE }];
      if (FILES[pathname]) return file(...FILES[pathname]);
    }
    if (request.method === 'POST' && pathname === '/sign-in') return signIn(Object(await json(request)));
    if (request.method === 'POST' && area === 'phone' && STEPS.includes(step)) {
      const person = personOf(request);
      if (!person) return [401, { error: 'unauthorized', message: 'sign in to the app first' }];
      return forward(person, code, step, await json(request), request.headers['accept-language']);
    }
    return [404, { error: 'not_found' }];
  }

  /** The app's own sign-in: here, whoever says so. */
  function signIn({ person }) {
    if (!Object.hasOwn(PEOPLE, person)) return [400, { error: 'nobody of that name' }];
    const session = randomBytes(24).toString('hex');
    sessions.set(session, { person, ends: Date.now() + SESSION });
    return [200, { name: PEOPLE[person] }, { 'set-cookie': `own_app=${session}; ${attributes}` }];
  }

  /** Who is signed in to the app, if anybody still is. */
  function personOf(request) {
    const session = sessions.get(/(?:^|;\s*)own_app=(\w+)/.exec(request.headers.cookie ?? '')?.[1]);
    return session && session.ends > Date.now() ? session.person : undefined;
  }

  /** One call of the phone API, in the name of the person who is signed in to the app, and of nobody else. */
  async function forward(person, code, step, body, language = 'zh-CN') {
    const told = await fetch(`${mashang}/api/phone/${channel}/${encodeURIComponent(code)}/${step}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${issuer.tokenFor(person, PEOPLE[person])}`,
        'content-type': 'application/json',
        'accept-language': language,
      },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(15_000),
    });
    return [told.status, await told.json()];
  }

  return {
    url,
    here,
    issuer,
    async stop() {
      clearInterval(sweeper);
      listener.closeAllConnections();
      listener.close();
    },
  };
}

async function file(name, type) {
  return [200, await readFile(new URL(`public/${name}`, import.meta.url)), { 'content-type': type }];
}

async function json(request) {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > 10_000) throw new Error('too long');
  }
  return JSON.parse(text || '{}');
}

function send(response, status, body, headers = {}) {
  const isFile = Buffer.isBuffer(body);
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
  response.end(isFile ? body : JSON.stringify(body));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { MASHANG_URL: mashang = 'http://127.0.0.1:8080', CHANNEL: channel, PORT: port = '8950', OWN_URL: ownUrl } = process.env;
  const app = await startOwnApp({ mashang: mashang.replace(/\/$/, ''), channel, port: Number(port), ownUrl: ownUrl?.replace(/\/$/, '') });
  console.log(`the app: ${app.url}   issuer: ${app.url}   audience: mashang   login server: ${mashang}`);
}
