/**
 * The back end of the uni-app sample: the built pages, a session, and one standard token request.
 *
 * ISSUER=http://127.0.0.1:8080 CLIENT_ID=uniapp-h5 CLIENT_SECRET=… PORT=5174 OWN_URL=http://localhost:5174
 */
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

import * as oidc from 'openid-client';

import { Visit } from './sessions.mjs';

const { ISSUER = 'http://127.0.0.1:8080', CLIENT_ID = 'uniapp-h5', CLIENT_SECRET = '', PORT = '5174' } = process.env;
const here = process.env.OWN_URL ?? `http://localhost:${PORT}`; // as browsers write it
const redirectUri = `${here}/`;
const PAGES = fileURLToPath(new URL('../dist/build/h5/', import.meta.url));
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json' };

const routes = {
  'GET /api/me': async (visit) => ({ person: visit.person }),
  'POST /api/begin': begin,
  'POST /api/finish': finish,
  'POST /api/sign-out': async (visit) => visit.signOut(),
};

createServer(async (request, response) => {
  if (!URL.canParse(request.url, here)) return send(response, 400, { message: '这不是一个地址' }); // "GET //"
  const { pathname } = new URL(request.url, here);
  const route = routes[`${request.method} ${pathname}`];
  if (!route) return file(pathname, response);
  try {
    if (request.headers.origin && request.headers.origin !== here) throw refused(403, '请从本站页面登录');
    send(response, 200, await route(new Visit(request, response), await json(request)));
  } catch (error) {
    if (!error.status) console.error(error);
    send(response, error.status ?? 502, { message: error.status ? error.message : '登录服务没有应答，请稍后再试' });
  }
}).listen(Number(PORT), 'localhost', () => console.log(`uni-app 示例 sample: ${here}`));

/** State, nonce and verifier are made here and stay in this browser's session, by state: there may be two tabs. */
async function begin(visit) {
  await provider();
  const codeVerifier = oidc.randomPKCECodeVerifier();
  const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
  visit.keepScan(state, { codeVerifier, nonce });
  const codeChallenge = await oidc.calculatePKCECodeChallenge(codeVerifier);
  return { issuer: ISSUER, clientId: CLIENT_ID, redirectUri, state, nonce, codeChallenge };
}

/** `issuer` is whose answer the page took the code from (RFC 9207). */
async function finish(visit, { code, state, issuer }) {
  const begun = visit.takeScan(state);
  if (!begun) throw refused(400, '这次登录不是从本页开始的，请重新扫码');
  const config = await provider();
  if (issuer !== config.serverMetadata().issuer) throw refused(400, '这不是登录服务的答复，请重新扫码');
  const returned = new URL(redirectUri);
  returned.search = new URLSearchParams({ code, state, iss: issuer }).toString();
  const tokens = await oidc.authorizationCodeGrant(config, returned, {
    pkceCodeVerifier: begun.codeVerifier, expectedState: state, expectedNonce: begun.nonce, idTokenExpected: true,
  }).catch((error) => {
    throw error.error === 'invalid_grant' ? refused(400, '二维码已用过或已过期，请重新扫码') : error;
  });
  const { sub } = tokens.claims();
  const { name } = await oidc.fetchUserInfo(config, tokens.access_token, sub);
  return visit.signIn({ sub, name: name ?? '新用户' });
}

let found;
function provider() {
  // Plain http is for trying things out on one machine.
  const options = ISSUER.startsWith('http:') ? { execute: [oidc.allowInsecureRequests] } : {};
  found ??= oidc.discovery(new URL(ISSUER), CLIENT_ID, undefined, oidc.ClientSecretBasic(CLIENT_SECRET), options);
  return found.catch((error) => {
    found = undefined; // ask again next time
    throw error;
  });
}

async function json(request) {
  let text = '';
  for await (const piece of request) {
    text += piece;
    if (text.length > 10_000) throw refused(413, '请求太大');
  }
  try {
    return Object(text ? JSON.parse(text) : {}); // also of `null`
  } catch {
    throw refused(400, '请求不是 JSON');
  }
}

function refused(status, message) {
  return Object.assign(new Error(message), { status });
}

function send(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(value));
}

/** A built file, else the page: history mode has addresses without files. */
function file(pathname, response) {
  const wanted = normalize(join(PAGES, pathname));
  const path = wanted.startsWith(PAGES) && extname(wanted) ? wanted : join(PAGES, 'index.html');
  const stream = createReadStream(path);
  stream.on('open', () => {
    response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' });
    stream.pipe(response);
  });
  stream.on('error', () => send(response, 404, { message: '没有这个文件' }));
}
