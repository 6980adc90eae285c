/** The page against a running server and the pretend WeChat: needs `cargo build`, and `npm ci` in `tests/`. */

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';

import { DESKTOP, Jar, attribute, location } from '../../../tests/support/jar.mjs';
import { startSandbox, startServer } from '../../../tests/support/processes.mjs';
import { startSite } from '../../../tests/support/site.mjs';

const require = createRequire(import.meta.url);
const { loadPage, phone } = require('./harness.js');
const config = require('../config.js');
const words = require('../lib/words.js');

async function house(t) {
  const sandbox = await startSandbox();
  t.after(() => sandbox.stop());
  const [, appid, secret] = await sandbox.running.printed(/app\s+(\S+)\s+MiniProgram\s+(\S+)/);
  const settings = `[channel.mini]\nkind = "wechat-mini"\nappid = "${appid}"\nsecret = "${secret}"\nqr = "link"\n`;
  const server = await startServer({ sandbox, settings });
  t.after(() => server.stop());
  const site = await startSite(server);
  t.after(() => site.stop());
  config.baseUrl = server.url;
  return { sandbox, server, site, appid };
}

/** A browser that waits: its scan code and number. */
async function waiting(site) {
  const jar = new Jar({ 'user-agent': DESKTOP });
  const page = await location(await jar.get(await location(await jar.get(`${site.url}/login`))));
  const html = await (await jar.get(page)).text();
  const json = { headers: { accept: 'application/json' } };
  return {
    scanCode: new URL(page).pathname.split('/').pop(),
    number: attribute(html, /data-text="number">([^<]+)</),
    status: async () => (await (await jar.get(`${page}/status`, json)).json()).status,
    collect: async () => (await (await jar.post(`${page}/redeem`, {}, json)).json()).redirect,
  };
}

/** The mini-program on the phone of `person`, with the real network instead of a made-up one. */
async function opened({ sandbox, appid }, person, query, scene = 1047) {
  const held = phone({ enter: { query, scene }, language: 'en' });
  held.wx.login = ({ success, fail }) => {
    fetch(`${sandbox.url}/sandbox/api/mini/login`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ appid, person }),
    }).then((told) => told.json()).then(success, fail);
  };
  held.wx.request = ({ url, method, data, header, success, fail }) => {
    fetch(url, { method, headers: header, body: JSON.stringify(data) })
      .then(async (told) => success({ statusCode: told.status, data: await told.json() }))
      .catch(fail);
  };
  const page = loadPage(held);
  await page.onLoad(query);
  return page;
}

test('a scan, the number, and the website has its person; a second phone and a spent code are told so', async (t) => {
  const everything = await house(t);
  const browser = await waiting(everything.site);
  const page = await opened(everything, 'xiaoming', { scene: encodeURIComponent(browser.scanCode) });
  assert.equal(page.data.step, 'confirm', page.data.message);
  assert.equal(page.data.login.host, new URL(everything.site.url).host);
  assert.equal(page.data.digits, 2);
  assert.equal(await browser.status(), 'scanned');
  const late = await opened(everything, 'xiaoming', { scene: browser.scanCode });
  assert.equal(late.data.message, words.en.errors.taken);
  await page.onShow();
  page.onNumber({ detail: { value: browser.number } });
  await page.onApprove();
  assert.equal(page.data.message, words.en.ask.sign_in.approved);
  assert.match(await browser.collect(), /[?&]code=/);
  const again = await opened(everything, 'xiaoming', { scene: browser.scanCode });
  assert.equal(again.data.message, words.en.errors.unknown_login);
});

test('after a lost network the same login goes on, and no second phone is reported', async (t) => {
  const everything = await house(t);
  const query = (browser) => ({ scene: encodeURIComponent(browser.scanCode) });
  const browser = await waiting(everything.site);
  const page = await opened(everything, 'xiaoming', query(browser));
  const { request } = wx;
  wx.request = ({ fail }) => fail();
  page.onNumber({ detail: { value: browser.number } });
  await page.onApprove();
  assert.equal(page.data.again, words.en.again.network);
  wx.request = request;
  await page.onShow();
  assert.equal(page.data.step, 'confirm', page.data.message);
  await page.onApprove();
  assert.equal(page.data.message, words.en.ask.sign_in.approved);
  const other = await waiting(everything.site);
  const second = await opened(everything, 'xiaoming', query(other));
  const answered = wx.request;
  wx.request = (call) => answered({ ...call, success: call.fail });
  second.onNumber({ detail: { value: other.number } });
  await second.onApprove();
  assert.equal(second.data.again, words.en.again.network);
  assert.equal(await other.status(), 'approved', 'only the answer was lost');
  wx.request = answered;
  await second.onApprove();
  assert.equal(second.data.message, words.en.errors.finished);
});

test('an ordinary link opens the same page; no, and a wrong number, end the login', async (t) => {
  const everything = await house(t);
  const link = (browser) => ({ q: encodeURIComponent(`${everything.server.url}/s/${browser.scanCode}`), scancode_time: '1' });
  const refused = await waiting(everything.site);
  const page = await opened(everything, 'xiaoming', link(refused), 1011);
  await page.onDeny();
  assert.equal(page.data.message, words.en.done.denied);
  assert.equal(await refused.status(), 'denied');
  const mistyped = await waiting(everything.site);
  const second = await opened(everything, 'xiaoming', link(mistyped), 1013);
  assert.equal(second.data.withoutCamera, true);
  second.onNumber({ detail: { value: mistyped.number === '10' ? '11' : '10' } });
  await second.onApprove();
  assert.equal(second.data.message, words.en.done.wrong_number);
  assert.equal(await mistyped.status(), 'denied');
});
