/**
 * Websites that use the browser SDK: static pages under a strict policy, and a back end that exchanges the code with one
 * standard token request. And what a person sees in the panel.
 */

import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const SRC = new URL('../../sdk/js/src/', import.meta.url);
const HERE = fileURLToPath(new URL('.', import.meta.url));

const HEAD = '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>site</title><link rel="icon" href="data:,">';
const PAGES = {
  '/': `${HEAD}<script type="module" src="/call.js"></script><h1>网站</h1><main><button id="in">登录</button><p id="outcome" role="status"></p></main>`,
  '/element': `${HEAD}<link rel="stylesheet" href="/own.css"><script type="module" src="/element.js"></script><h1>网站</h1><main id="main"></main>`,
  '/vue': `${HEAD}<script type="module" src="/vue.js"></script><h1>网站</h1><main id="app"></main>`,
  '/uni': `${HEAD}<script type="module" src="/uni.js"></script><h1>网站</h1>`,
  '/served': `${HEAD}<script type="module" src="/served.js"></script><h1>网站</h1><button id="in">登录</button>`,
  '/cb': `${HEAD}<script type="module" src="/call.js"></script><h1>回来</h1>`,
  // The element's script first: what it tells at once, the page's own script would not hear.
  '/early': `${HEAD}<script type="module" src="/element.js"></script><script type="module" src="/hear.js"></script><h1>网站</h1><main><scan-login issuer="ISSUER" client-id="CLIENT"></scan-login></main>`,
};
const SCRIPTS = {
  '/call.js': 'import * as sdk from "/sdk/mashang.js"; window.sdk = sdk; document.documentElement.dataset.ready = "";',
  '/served.js': 'const issuer = new URLSearchParams(location.search).get("issuer"); const { base, html } = await (await fetch(`${issuer}/sdk`)).json(); window.map = html; window.sdk = await import(`${base}mashang.js`); document.documentElement.dataset.ready = "";',
  '/element.js': 'import "/sdk/element.js"; document.documentElement.dataset.ready = "";',
  '/hear.js': 'window.heard = []; for (const type of ["success", "fail", "error", "cancel"]) document.querySelector("scan-login").addEventListener(type, ({ detail }) => window.heard.push([type, { ...detail }]));',
  '/own.css': 'scan-login { --mashang-accent: rgb(10, 20, 30); --mashang-background: rgb(250, 250, 240); --mashang-color: rgb(20, 20, 10); }',
};

/**
 * Registers a client at `server` and serves its website, at `http://localhost:…`. `back` is the page at its redirect address.
 *
 * @param {Awaited<ReturnType<typeof import('../support/processes.mjs').startServer>>} server
 */
export async function startSdkSite(server, { id = 'sdk', name = '测试网站', register = true, sockets = true, back = '/cb', options = [] } = {}) {
  const listener = createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const url = `http://localhost:${listener.address().port}`;
  const secret = register && await server.addClient(id, ['--name', name, '--redirect-uri', `${url}/cb`, ...options]);
  const policy = `default-src 'none'; script-src 'self' ${server.url}/sdk/; style-src 'self'; img-src data:; connect-src 'self' ${server.url}${sockets ? ` ${server.url.replace('http', 'ws')}` : ''}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  const exchange = async ({ code, codeVerifier, redirectUri, nonce }) => {
    const answer = await fetch(`${server.url}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'authorization_code', code, code_verifier: codeVerifier, redirect_uri: redirectUri }),
    });
    const tokens = await answer.json();
    if (!answer.ok) return tokens;
    const own = JSON.parse(Buffer.from(tokens.id_token.split('.')[1], 'base64url'));
    if (own.nonce !== nonce) return { error: 'nonce' };
    const told = await fetch(`${server.url}/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
    return told.json();
  };
  listener.on('request', (request, response) => {
    const { pathname } = new URL(request.url, url);
    serve(pathname === '/cb' ? back : pathname, policy, { issuer: server.url, id }).then(([status, headers, body]) => {
      response.writeHead(status, headers).end(body);
    }, (error) => response.writeHead(500).end(String(error)));
  });
  return {
    url,
    id,
    secret,
    issuer: server.url,
    exchange,
    async stop() {
      listener.closeAllConnections();
      listener.close();
    },
  };
}

async function serve(path, policy, { issuer, id }) {
  const script = { 'content-type': 'text/javascript; charset=utf-8', 'content-security-policy': policy };
  if (PAGES[path]) return [200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy }, PAGES[path].replace('ISSUER', issuer).replace('CLIENT', id)];
  if (path.endsWith('.css')) return [200, { 'content-type': 'text/css' }, SCRIPTS[path]];
  if (SCRIPTS[path]) return [200, script, SCRIPTS[path]];
  if (path === '/vue.js' || path === '/uni.js') return [200, script, await bundled(`${path.slice(1, -3)}-page.mjs`)];
  if (/^\/sdk\/\w+\.js$/.test(path)) return [200, script, await readFile(new URL(path.slice(5), SRC))];
  return [404, {}, ''];
}

/** What a bundler makes of a page that imports the package by its names. */
export async function bundled(file, { minify = false, external = [] } = {}) {
  const { outputFiles: [{ text }] } = await build({
    entryPoints: [`${HERE}${file}`], bundle: true, format: 'esm', write: false, minify, external, target: 'es2019', charset: 'utf8',
    legalComments: 'none',
    define: { 'process.env.NODE_ENV': '"production"', __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false', __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false' },
    alias: {
      mashang: `${fileURLToPath(SRC)}mashang.js`, 'mashang/vue': `${fileURLToPath(SRC)}vue.js`, 'mashang/uni': `${fileURLToPath(SRC)}uni.js`,
      ...(!external.includes('vue') && { vue: `${HERE}../node_modules/vue` }),
    },
  });
  return text;
}

// ---- what people see and do ----

/** Opens a page of the site and waits for its script. */
export async function visit(page, site, path = '/') {
  await page.goto(site.url + path);
  await page.locator('html[data-ready]').waitFor({ state: 'attached' });
  return page;
}

/** Calls `scanLogin` as a click does; `outcome(page)` tells what became of it. */
export async function begin(page, site, options = {}) {
  await page.locator('#in').focus();
  await page.evaluate(({ given }) => {
    window.calls = [];
    const note = (name) => (value) => window.calls.push([name, { ...value }]);
    const promise = window.sdk.scanLogin({ ...given, success: note('success'), fail: note('fail'), complete: note('complete') });
    window.outcome = promise.then((value) => ({ value }), (failed) => ({ failed: { errMsg: failed.errMsg, errCode: failed.errCode, reason: failed.reason } }));
  }, { given: { issuer: site.issuer, clientId: site.id, ...options } });
}

export const outcome = (page) => page.evaluate(() => window.outcome);

export const card = (page, status) => page.locator(status ? `.card[data-status="${status}"]` : '.card');

/** The link in the QR, without a camera. */
export async function scanUrl(page) {
  return new URL(await page.locator('.card a.sandbox').getAttribute('href')).searchParams.get('open');
}

export async function number(page) {
  return (await page.locator('.card .number b').innerText()).trim();
}

/** Says yes inside WeChat, from the login page on. */
export async function agree(phone, person) {
  await phone.locator('#login a[data-link="onward"]').click();
  await phone.locator(`button[name="person"][value="${person}"]`).click();
  await phone.locator('button[name="answer"][value="allow"]').click();
  await phone.locator('form#approve').waitFor({ state: 'attached' });
  await phone.locator('button.button-yes').click();
}

/** Requests to the issuer from now on. */
export function requestsTo(page, origin) {
  const seen = [];
  page.on('request', (request) => { if (request.url().startsWith(origin)) seen.push(`${request.method()} ${new URL(request.url()).pathname}`); });
  page.on('websocket', (socket) => { if (new URL(socket.url()).host === new URL(origin).host) seen.push(`SOCKET ${new URL(socket.url()).pathname}`); });
  return seen;
}

/** What the page believes about being looked at. */
export async function hide(page, hidden) {
  await page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { configurable: true, value });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
}
