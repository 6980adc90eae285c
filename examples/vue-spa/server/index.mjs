/**
 * The back office's back end: its pages, its sessions, and the one place where a code becomes a person.
 *
 *   node server/index.mjs          the built pages in dist/
 *   node server/index.mjs --dev    Vite's development server inside this one
 *
 * ISSUER=http://127.0.0.1:8080 CLIENT_ID=vue-spa CLIENT_SECRET=… PORT=5173 OWN_URL=http://localhost:5173
 */
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

import { accounts } from './accounts.mjs';
import { Scan } from './scan.mjs';
import { Visit } from './sessions.mjs';

const { ISSUER = 'http://127.0.0.1:8080', CLIENT_ID = 'vue-spa', CLIENT_SECRET = '', PORT = '5173' } = process.env;
const here = process.env.OWN_URL ?? `http://localhost:${PORT}`; // as browsers write it
const scan = new Scan({ issuer: ISSUER, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, redirectUri: `${here}/callback` });
const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
// What a strict site sends: the scan panel works under it.
const POLICY = `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ${ISSUER} ${ISSUER.replace('http', 'ws')}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`;

const routes = {
  'GET /api/me': async ({ visit }) => visit.person,
  'POST /api/scan/begin': async ({ visit }) => scan.begin(visit),
  'POST /api/scan/finish': async ({ visit, body }) => visit.signIn(await scan.finish(visit, body)),
  'POST /api/password': async ({ visit, body }) => visit.signIn(accounts.check(body)),
  'POST /api/sign-out': async ({ visit }) => visit.signOut(),
};

const vite = process.argv.includes('--dev') ? await developmentServer() : undefined;

const server = createServer((request, response) => {
  if (!URL.canParse(request.url, here)) return send(response, 400, { message: '这不是一个地址' }); // "GET //"
  const { pathname } = new URL(request.url, here);
  const route = routes[`${request.method} ${pathname}`];
  if (route) answer(route, request, response);
  else if (pathname.startsWith('/api/')) send(response, 404, { message: '没有这个接口' });
  else if (vite) vite.middlewares(request, response);
  else file(pathname, response);
});
server.listen(Number(PORT), 'localhost', () => {
  console.log(`示例后台 Sample back office: ${here}`);
});

async function answer(route, request, response) {
  try {
    const origin = request.headers.origin;
    // JSON bodies only, and never from another site's page.
    if (origin && origin !== here) throw Object.assign(new Error('请从本站页面登录'), { status: 403 });
    send(response, 200, await route({ visit: new Visit(request, response), body: await json(request) }));
  } catch (error) {
    if (!error.status) console.error(error);
    send(response, error.status ?? 502, { message: error.status ? error.message : '登录服务没有应答，请稍后再试' });
  }
}

async function json(request) {
  let text = '';
  for await (const piece of request) {
    text += piece;
    if (text.length > 10_000) throw Object.assign(new Error('请求太大'), { status: 413 });
  }
  try {
    return Object(text ? JSON.parse(text) : {}); // also of `null`
  } catch {
    throw Object.assign(new Error('请求不是 JSON'), { status: 400 });
  }
}

function send(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(value));
}

/** A built file, else the page. */
function file(pathname, response) {
  const wanted = normalize(join(DIST, pathname));
  const path = wanted.startsWith(DIST) && extname(wanted) ? wanted : join(DIST, 'index.html');
  const stream = createReadStream(path);
  stream.on('open', () => {
    response.writeHead(200, {
      'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
      'content-security-policy': POLICY,
    });
    stream.pipe(response);
  });
  stream.on('error', () => send(response, 404, { message: '没有这个文件' }));
}

async function developmentServer() {
  const { createServer: create } = await import('vite');
  return create({ server: { middlewareMode: true }, appType: 'spa' });
}
