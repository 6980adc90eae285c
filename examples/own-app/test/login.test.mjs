/** The sample against a running server: what its page sends, without the page. */

import assert from 'node:assert/strict';
import test from 'node:test';

import { Jar, DESKTOP, attribute, location } from '../../../tests/support/jar.mjs';
import { statusOf } from '../../../tests/support/packed.mjs';
import { freePort, startSandbox, startServer } from '../../../tests/support/processes.mjs';
import { startSite } from '../../../tests/support/site.mjs';
import { scanCodeOf } from '../public/link.mjs';
import { startOwnApp } from '../server.mjs';

/** Sandbox, server, website, and the app with its back end. */
async function house(t) {
  const sandbox = await startSandbox();
  t.after(() => sandbox.stop());
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const settings = `[channel.myapp]\nkind = "app"\nissuer = "${issuer}"\naudience = "mashang"\norder = 9\n`;
  const server = await startServer({ sandbox, settings });
  t.after(() => server.stop());
  const app = await startOwnApp({ mashang: server.url, port });
  t.after(() => app.stop());
  const site = await startSite(server);
  t.after(() => site.stop());
  return { server, app: { ...app, mashang: server.url }, site };
}

/** A person who is signed in to the app. */
async function signedIn(app, person) {
  const jar = new Jar();
  const post = (path, body) => jar.send('POST', `${app.url}${path}`, {
    headers: { 'content-type': 'application/json', 'accept-language': 'en' }, body: JSON.stringify(body),
  });
  assert.equal((await post('/sign-in', { person })).status, 200);
  return async (link, step, body = {}) => {
    const response = await post(`/phone/${scanCodeOf(link, app.mashang)}/${step}`, body);
    return { status: response.status, ...await response.json() };
  };
}

/** A browser that waits: what its QR holds, the number it shows, and the way on. */
async function waiting(server, site) {
  const jar = new Jar({ 'user-agent': DESKTOP });
  const page = await location(await jar.get(await location(await jar.get(`${site.url}/login`))));
  const html = await (await jar.get(page)).text();
  const number = attribute(html, /data-text="number">([^<]+)</);
  assert.match(number, /^\d\d$/);
  const json = { headers: { accept: 'application/json' } };
  return {
    link: `${server.url}/s/${new URL(page).pathname.split('/').pop()}`,
    number,
    status: async () => (await (await jar.get(`${page}/status`, json)).json()).status,
    async collect() {
      const { redirect } = await (await jar.post(`${page}/redeem`, {}, json)).json();
      await jar.get(redirect);
      return attribute(await (await jar.get(`${site.url}/`)).text(), /<pre id="claims">([^<]+)</);
    },
  };
}

test('the app’s person scans, types the number and is signed in on the website', async (t) => {
  const { server, app, site } = await house(t);
  const phone = await signedIn(app, 'ming');
  const browser = await waiting(server, site);
  const scanned = await phone(browser.link, 'scan');
  assert.equal(scanned.status, 200);
  assert.equal(scanned.login.purpose, 'sign_in');
  assert.equal(scanned.login.host, new URL(site.url).host);
  const answer = { phone_token: scanned.phone_token };
  const context = await phone(browser.link, 'context', answer);
  assert.deepEqual(context.login, scanned.login);
  const stolen = await (await signedIn(app, 'hong'))(browser.link, 'approve', { ...answer, number: browser.number });
  assert.equal(stolen.error, 'unauthorized', 'another person of the same app');
  assert.deepEqual(await phone(browser.link, 'approve', { ...answer, number: browser.number }), { status: 'approved' });
  const claims = JSON.parse(await browser.collect());
  assert.equal(claims.nickname, '小明');
  assert.deepEqual(claims.amr, ['app']);
});

test('a request line that is no address is refused', async (t) => {
  const app = await startOwnApp({ mashang: 'http://127.0.0.1:1', port: 0 });
  t.after(() => app.stop());
  for (const line of ['GET //', 'POST //']) assert.equal(await statusOf(app.url, line), 400, line);
  assert.equal(await statusOf(app.url, 'GET /settings'), 200);
});

test('a session ends by the clock, and behind https its cookie stays there', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const app = await startOwnApp({ mashang: 'http://127.0.0.1:1', port: 0, ownUrl: 'https://app.example' });
  t.after(() => app.stop());
  assert.equal(app.url, 'https://app.example');
  const post = (path, cookie = '') => fetch(app.here + path, { method: 'POST', headers: { cookie }, body: '{"person":"ming"}' });
  const [cookie] = (await post('/sign-in')).headers.getSetCookie();
  assert.match(cookie, /; Secure$/);
  const scan = async () => (await post('/phone/code/scan', cookie.split(';')[0])).status;
  assert.equal(await scan(), 502, 'signed in, and no login server behind');
  t.mock.timers.tick(12 * 3600_000);
  assert.equal(await scan(), 401);
});

test('a no and a wrong number end the login; nobody can scan in another’s name', async (t) => {
  const { server, app, site } = await house(t);
  const phone = await signedIn(app, 'ming');
  const refused = await waiting(server, site);
  const first = await phone(refused.link, 'scan');
  assert.deepEqual(await phone(refused.link, 'deny', { phone_token: first.phone_token }), { status: 'denied' });
  assert.equal(await refused.status(), 'denied');
  const mistyped = await waiting(server, site);
  const second = await phone(mistyped.link, 'scan');
  const number = mistyped.number === '10' ? '11' : '10';
  assert.deepEqual(await phone(mistyped.link, 'approve', { phone_token: second.phone_token, number }), { status: 'wrong_number' });
  assert.equal(await mistyped.status(), 'denied');
  const named = await waiting(server, site);
  assert.equal((await phone(named.link, 'scan', { user_id: 'hong' })).error, 'identity_in_request');
  const nobody = await fetch(`${app.url}/phone/${scanCodeOf(named.link, server.url)}/scan`, { method: 'POST', body: '{}' });
  assert.equal(nobody.status, 401);
});
