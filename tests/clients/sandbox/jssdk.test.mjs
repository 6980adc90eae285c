/** @wecom/jssdk from npm, unmodified, in Chromium, which is led to the sandbox by WeCom's own host name. */

import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';

import { chromium } from 'playwright-core';

import { until } from '../../support/wait.mjs';
import { startNamedSandbox } from './support.mjs';

const SDK = fileURLToPath(new URL('../../node_modules/@wecom/jssdk/dist/wecom.global.prod.js', import.meta.url));
const LOGIN_HOST = 'login.work.weixin.qq.com';

let sandbox;
let site;
let other;
let browser;
before(async () => {
  sandbox = await startNamedSandbox();
  site = await startSite();
  other = await startSite();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      `--host-resolver-rules=MAP ${LOGIN_HOST}:443 ${sandbox.tls}`,
      `--ignore-certificate-errors-spki-list=${await keyOf(LOGIN_HOST)}`,
    ],
  });
});
after(async () => {
  await browser?.close();
  await site?.stop();
  await other?.stop();
  await sandbox?.stop();
});

/** The hash of the public key which the sandbox's authority vouches for under this name; checked against it here. */
async function keyOf(host) {
  const [address, port] = sandbox.tls.split(':');
  const socket = connect({ host: address, port: Number(port), servername: host, ca: await readFile(sandbox.ca) });
  await once(socket, 'secureConnect');
  const certificate = new X509Certificate(socket.getPeerCertificate().raw);
  socket.destroy();
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

/** A website with the SDK in its page; `/cb` is where people come back. */
async function startSite() {
  const sdk = await readFile(SDK);
  const server = createServer((request, answer) => {
    if (request.url === '/sdk.js') return answer.setHeader('content-type', 'text/javascript').end(sdk);
    answer.setHeader('content-type', 'text/html; charset=utf-8');
    const page = request.url.startsWith('/cb') ? '<h1>back</h1>' : '<div id="panel"></div><script src="/sdk.js"></script>';
    return answer.end(`<!doctype html><meta charset="utf-8">${page}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop() {
      server.closeAllConnections();
      return new Promise((done) => { server.close(done); });
    },
  };
}

/** Opens the site's page and draws the panel there; `heard` are the callbacks so far. */
async function panel(params) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(site.url);
  const asked = page.waitForRequest((request) => request.url().startsWith(`https://${LOGIN_HOST}/wwlogin/sso/login`));
  await page.evaluate((options) => {
    window.heard = [];
    const note = (name) => (what) => window.heard.push([name, what]);
    window.ww.createWWLoginPanel({
      el: '#panel',
      params: options,
      onCheckWeComLogin: note('check'),
      onLoginSuccess: note('success'),
      onLoginFail: note('fail'),
    });
  }, { login_type: 'CorpApp', appid: sandbox.corp.corpid, agentid: sandbox.corp.agentid, state: 'state-1', redirect_uri: `${site.url}/cb`, ...params });
  const request = await asked;
  return {
    page,
    request,
    frame: page.frameLocator('iframe'),
    heard: (name) => until(`${name} is called`, async () => (await page.evaluate(() => window.heard)).find(([called]) => called === name)?.[1]),
    all: () => page.evaluate(() => window.heard),
    close: () => context.close(),
  };
}

async function answer(shown, person, how) {
  const src = await shown.frame.locator('.js_qrcode').getAttribute('src');
  const uuid = new URL(src, 'https://x').searchParams.get('key');
  await sandbox.wechat.call('/scan', { uuid, person });
  await shown.frame.locator('.js_scanned:not([hidden])').waitFor();
  await sandbox.wechat.call(how, { uuid, person });
}

/** What the corp's server learns by the code. */
async function memberBy(code) {
  const { corpid, secret } = sandbox.corp;
  const api = `${sandbox.url}/qyapi.weixin.qq.com/cgi-bin`;
  const token = await (await fetch(`${api}/gettoken?corpid=${corpid}&corpsecret=${secret}`)).json();
  const told = await fetch(`${api}/auth/getuserinfo?access_token=${token.access_token}&code=${code}`);
  return (await told.json()).userid;
}

async function agent(change) {
  await sandbox.wechat.call(`/wecom/corps/${sandbox.corp.corpid}/agents/${sandbox.corp.agentid}`, change);
}

test('callback: the page is handed the code, and only the code', async () => {
  const shown = await panel({ redirect_type: 'callback' });
  const query = new URL(shown.request.url()).searchParams;
  assert.deepEqual([...query.keys()], ['login_type', 'appid', 'agentid', 'state', 'redirect_uri', 'redirect_type', 'version']);
  assert.equal(query.get('redirect_uri'), `${site.url}/cb`, 'the SDK encodes it once');
  assert.equal((await shown.request.allHeaders()).referer, `${site.url}/`, 'the frame learns the origin around it');
  assert.deepEqual(await shown.heard('check'), { isWeComLogin: false });
  await answer(shown, 'xiaoming', '/allow');
  const { code, ...rest } = await shown.heard('success');
  assert.deepEqual(rest, {});
  assert.equal(await memberBy(code), 'XiaoMing');
  assert.equal(shown.page.url(), `${site.url}/`, 'nobody navigates');
  await shown.close();
});

test('callback: a refusal is a failure, and no code', async () => {
  const shown = await panel({ redirect_type: 'callback' });
  await answer(shown, 'xiaoming', '/deny');
  await shown.heard('fail');
  assert.equal((await shown.all()).some(([name]) => name === 'success'), false);
  await shown.close();
});

test('callback: a page on no trusted domain hears that it is none', async () => {
  await agent({ trusted_domains: ['site.example'] });
  const shown = await panel({ redirect_type: 'callback', redirect_uri: 'https://site.example/cb' });
  assert.equal((await shown.heard('fail')).errCode, -31033);
  await shown.close();
  const elsewhere = await panel({ redirect_type: 'top' });
  assert.equal((await elsewhere.heard('fail')).errCode, -31020);
  await elsewhere.frame.getByText('登录授权回调域名不一致').waitFor();
  await elsewhere.close();
  await agent({ trusted_domains: ['*'] });
});

for (const [where, redirect] of [['the same site', () => site], ['another site', () => other]]) {
  test(`top: the whole window goes back to ${where}`, async () => {
    const shown = await panel({ redirect_type: 'top', redirect_uri: `${redirect().url}/cb?x=1` });
    const sealed = await shown.page.locator('iframe').getAttribute('sandbox');
    assert.equal(sealed, where === 'another site' ? 'allow-top-navigation allow-scripts allow-same-origin' : null);
    await answer(shown, 'xiaoming', '/allow');
    await shown.page.waitForURL(`${redirect().url}/cb?x=1&*`);
    const back = new URL(shown.page.url()).searchParams;
    assert.equal(back.get('state'), 'state-1');
    assert.equal(await memberBy(back.get('code')), 'XiaoMing');
    await shown.close();
  });
}

test('self: the frame alone goes back', async () => {
  const shown = await panel({ redirect_type: 'self' });
  await answer(shown, 'xiaoming', '/allow');
  await shown.frame.getByText('back').waitFor();
  const inner = new URL(shown.page.frames().at(-1).url());
  assert.equal(inner.origin, site.url);
  assert.equal(await memberBy(inner.searchParams.get('code')), 'XiaoMing');
  assert.equal(shown.page.url(), `${site.url}/`);
  await shown.close();
});

/** The scripts as the sandbox serves them, for pages that reach it by path prefix. */
async function prefixed(script, draw) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(site.url);
  await page.addScriptTag({ url: `${sandbox.url}/${script}` });
  await page.evaluate(draw, { ...sandbox.corp, redirect: `${site.url}/cb` });
  return { page, frame: page.frameLocator('iframe'), close: () => context.close() };
}

test('the sandbox\'s own WwLogin, by path prefix: asks its frame, and follows the address it is told', async () => {
  const shown = await prefixed('wwcdn.weixin.qq.com/node/wework/wwopen/js/wwLogin-1.2.7.js', ({ corpid, agentid, redirect }) => {
    new window.WwLogin({ id: 'panel', appid: corpid, agentid, redirect_uri: encodeURIComponent(redirect), state: 'state-2' });
  });
  await answer(shown, 'xiaoming', '/allow');
  await shown.page.waitForURL(`${site.url}/cb?*`);
  const back = new URL(shown.page.url()).searchParams;
  assert.equal(back.get('state'), 'state-2');
  assert.equal(await memberBy(back.get('code')), 'XiaoMing');
  await shown.close();
});

test('the sandbox\'s own ww object, by path prefix: the same panel, the same callback', async () => {
  const shown = await prefixed('wwcdn.weixin.qq.com/node/open/js/wecom-jssdk-2.3.4.js', ({ corpid, agentid, redirect }) => {
    window.ww.createWWLoginPanel({
      el: '#panel',
      params: { login_type: 'CorpApp', appid: corpid, agentid, redirect_uri: redirect, state: 's', redirect_type: 'callback' },
      onLoginSuccess: ({ code }) => { window.code = code; },
    });
  });
  await answer(shown, 'xiaoming', '/allow');
  const code = await until('onLoginSuccess is called', () => shown.page.evaluate(() => window.code));
  assert.equal(await memberBy(code), 'XiaoMing');
  await shown.close();
});
