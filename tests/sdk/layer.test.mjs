/** `scanLogin` on somebody else's page, in Chromium, against a real server: what goes well and what does not. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import * as oidc from 'openid-client';

import { approve, deny, journeys, launch, otherNumber, outcome as told, scan, Stage } from '../support/browser.mjs';
import { startHouse } from '../support/house.mjs';
import { until } from '../support/wait.mjs';
import { agree, begin, card, hide, number, outcome, requestsTo, scanUrl, startSdkSite, visit } from './support.mjs';

const journey = journeys();
let house;
let site;
before(async () => {
  house = await startHouse();
  site = await startSdkSite(house.server);
});
after(async () => {
  await site?.stop();
  await house?.stop();
});

/** At the website, with the panel open and waiting. */
async function waiting(page, options) {
  await visit(page, site);
  await begin(page, site, options);
  await card(page, 'waiting').waitFor();
  return page;
}

/** Scans and says yes, on a phone without a screen. */
async function confirm(page, person = 'xiaoming') {
  const phone = house.wechat.phone(person);
  await phone.scan(await scanUrl(page));
  await card(page, 'scanned').waitFor();
  assert.equal(await phone.approve(await number(page)), 'approved');
}

journey('scanned and confirmed, the page gets a code without leaving, and its back end the person', async (stage) => {
  const computer = await waiting(await stage.desktop());
  const address = computer.url();
  await confirm(computer);
  const { value } = await outcome(computer);
  assert.equal(computer.url(), address);
  assert.equal((await site.exchange(value)).name, '小明');
  assert.equal((await site.exchange(value)).error, 'invalid_grant', 'the code is of one use');
  assert.equal(await card(computer).count(), 0);
  assert.equal(await computer.evaluate(() => document.activeElement.id), 'in', 'the focus is where it was');
  assert.deepEqual((await computer.evaluate(() => window.calls)).map(([name]) => name), ['success', 'complete']);
  assert.deepEqual(await computer.context().cookies(), [], 'no cookie of anybody');
});

journey('the drawn code is what a camera reads', async (stage) => {
  const computer = await waiting(await stage.desktop());
  assert.equal(await stage.camera(computer.locator('.code')), await scanUrl(computer));
});

journey('a code without its verifier is of no use', async (stage) => {
  const computer = await waiting(await stage.desktop());
  await confirm(computer);
  const { value } = await outcome(computer);
  assert.equal((await site.exchange({ ...value, codeVerifier: 'x'.repeat(43) })).error, 'invalid_grant');
});

journey('a back end with openid-client keeps the verifier to itself', async (stage) => {
  const provider = await oidc.discovery(new URL(site.issuer), site.id, undefined, oidc.ClientSecretBasic(site.secret), {
    execute: [oidc.allowInsecureRequests],
  });
  const [verifier, state, nonce] = [oidc.randomPKCECodeVerifier(), oidc.randomState(), oidc.randomNonce()];
  const computer = await waiting(await stage.desktop(), { state, nonce, codeChallenge: await oidc.calculatePKCECodeChallenge(verifier) });
  await confirm(computer, 'ada');
  const { value } = await outcome(computer);
  assert.equal(value.codeVerifier, undefined);
  const answer = new URL(value.redirectUri);
  answer.search = new URLSearchParams({ code: value.code, state: value.state, iss: value.issuer });
  const tokens = await oidc.authorizationCodeGrant(provider, answer, {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true,
  });
  assert.ok(tokens.claims().sub);
});

journey('refused on the phone: another code may be asked for, and closing tells the refusal', async (stage) => {
  const computer = await waiting(await stage.desktop());
  const first = await scanUrl(computer);
  const phone = await stage.wechat();
  await scan(phone, first, 'ada');
  await deny(phone);
  await card(computer, 'denied').waitFor();
  await computer.locator('.over button').click();
  await card(computer, 'waiting').waitFor();
  assert.notEqual(await scanUrl(computer), first);
  const again = house.wechat.phone('ada');
  await again.scan(await scanUrl(computer));
  assert.equal(await again.deny(), 'denied');
  await card(computer, 'denied').waitFor();
  await computer.locator('.close').click();
  assert.deepEqual((await outcome(computer)).failed, { errMsg: 'login:fail denied', errCode: 1002, reason: 'denied' });
  assert.deepEqual((await computer.evaluate(() => window.calls)).map(([name]) => name), ['fail', 'complete']);
});

journey('a wrong number on the phone ends this code, under a name of its own', async (stage) => {
  const computer = await waiting(await stage.desktop(), { retry: false });
  const phone = await stage.wechat();
  const digits = await number(computer);
  await scan(phone, await scanUrl(computer), 'ada');
  await approve(phone, otherNumber(digits));
  assert.deepEqual((await outcome(computer)).failed, { errMsg: 'login:fail wrong_number', errCode: 1003, reason: 'wrong_number' });
});

journey('Esc closes, and the code is dead at once', async (stage) => {
  const computer = await waiting(await stage.desktop());
  const url = await scanUrl(computer);
  const cancelled = computer.waitForResponse(/\/cancel$/);
  await computer.keyboard.press('Escape');
  assert.equal((await outcome(computer)).failed.errCode, 1001);
  await cancelled;
  const phone = await stage.wechat();
  await phone.goto(url);
  await told(phone, 'expired').waitFor();
});

journey('the time that the caller gives is kept', async (stage) => {
  const page = await stage.desktop();
  await page.clock.install();
  const computer = await waiting(page, { timeout: 60_000 });
  await computer.clock.runFor(61_000);
  assert.equal((await outcome(computer)).failed.reason, 'timeout');
});

journey('going back asks nothing any more, and coming forth begins afresh', async (stage) => {
  const page = await stage.desktop();
  await visit(page, site, '/element');
  const computer = await waiting(page);
  await computer.goBack();
  await computer.locator('html[data-ready]').waitFor({ state: 'attached' });
  const asked = requestsTo(computer, site.issuer);
  await computer.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
  assert.deepEqual(asked, []);
  await computer.goForward();
  await computer.locator('html[data-ready]').waitFor({ state: 'attached' });
  if (await card(computer).count() === 0) await begin(computer, site); // else Chromium kept the page as it was
  await confirm(computer);
  assert.ok((await outcome(computer)).value.code);
});

journey('after a reload the old code gives nothing to anybody, and a new one works', async (stage) => {
  const computer = await waiting(await stage.desktop());
  const [url, digits] = [await scanUrl(computer), await number(computer)];
  await computer.reload();
  const phone = house.wechat.phone('xiaoming');
  await phone.scan(url);
  await phone.approve(digits);
  await computer.locator('html[data-ready]').waitFor({ state: 'attached' });
  await begin(computer, site);
  await card(computer, 'waiting').waitFor();
  await confirm(computer, 'ada');
  assert.equal((await site.exchange((await outcome(computer)).value)).name, 'Ada');
});

journey('two tabs have two codes, and each gets its own person', async (stage) => {
  const one = await stage.desktop();
  const two = await one.context().newPage();
  await waiting(one);
  await waiting(two);
  assert.notEqual(await scanUrl(one), await scanUrl(two));
  await confirm(two, 'ada');
  assert.equal((await site.exchange((await outcome(two)).value)).name, 'Ada');
  await card(one, 'waiting').waitFor();
  await confirm(one, 'xiaoming');
  assert.equal((await site.exchange((await outcome(one)).value)).name, '小明');
});

journey('a network that went away and came back loses nothing', async (stage) => {
  const computer = await waiting(await stage.desktop());
  const [url, digits] = [await scanUrl(computer), await number(computer)];
  await computer.context().setOffline(true);
  const phone = house.wechat.phone('ada');
  await phone.scan(url);
  assert.equal(await phone.approve(digits), 'approved');
  await computer.context().setOffline(false);
  assert.equal((await site.exchange((await outcome(computer)).value)).name, 'Ada');
});

journey('hidden for five minutes it asks nothing, and knows at once when it is seen again', async (stage) => {
  const page = await stage.desktop();
  await page.clock.install();
  const computer = await waiting(page);
  const [url, digits] = [await scanUrl(computer), await number(computer)];
  await hide(computer, true);
  const asked = requestsTo(computer, site.issuer);
  const phone = house.wechat.phone('ada');
  await phone.scan(url);
  assert.equal(await phone.approve(digits), 'approved');
  await computer.clock.runFor('05:00');
  assert.deepEqual(asked, []);
  await hide(computer, false);
  assert.equal((await site.exchange((await outcome(computer)).value)).name, 'Ada');
  assert.match(asked[0], /\/status$/);
  assert.match(asked[1], /\/redeem$/);
});

journey('under a policy that knows nothing of sockets, the event stream carries the news', async (stage) => {
  const page = await stage.desktop();
  const former = await startSdkSite(house.server, { id: 'former', sockets: false });
  try {
    const asked = requestsTo(page, former.issuer);
    await visit(page, former);
    await begin(page, former);
    await card(page, 'waiting').waitFor();
    await until('a stream of events', () => asked.some((line) => line.startsWith('GET') && line.endsWith('/events')));
    await confirm(page);
    assert.ok((await outcome(page)).value);
  } finally {
    await former.stop();
  }
  assert.ok(stage.violations.some((text) => text.includes("'ws:")), 'the browser says what is missing, and this suite hears it');
  stage.violations = stage.violations.filter((text) => !text.includes("'ws:"));
});

journey('with socket and event stream blocked, held requests carry the news', async (stage) => {
  const page = await stage.desktop();
  await page.routeWebSocket(/\/events$/, (socket) => socket.close());
  await page.route('**/events', (route) => route.abort());
  const asked = requestsTo(page, site.issuer);
  const computer = await waiting(page);
  await until('a held request', () => asked.some((line) => line.endsWith('/status')));
  await confirm(computer);
  assert.ok((await outcome(computer)).value);
});

journey('on a phone the link can be copied, because nobody scans the screen in their hand', async (stage) => {
  const phone = await waiting(await stage.phone({ permissions: ['clipboard-read', 'clipboard-write'] }));
  await phone.getByRole('paragraph').filter({ hasText: '文件传输助手' }).waitFor();
  await phone.getByRole('button', { name: '复制登录链接' }).click();
  await phone.getByRole('button', { name: '已复制' }).waitFor();
  assert.equal(await phone.evaluate(() => navigator.clipboard.readText()), await scanUrl(phone));
  await confirm(phone);
  assert.ok((await outcome(phone)).value);
});

journey('where the clipboard is out of reach, the link is shown instead, and selected', async (stage) => {
  const phone = await waiting(await stage.phone());
  await phone.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
  await phone.getByRole('button', { name: '复制登录链接' }).click();
  const field = phone.getByRole('textbox', { name: '复制登录链接' });
  assert.equal(await field.inputValue(), await scanUrl(phone));
  assert.deepEqual(await field.evaluate((node) => [node.selectionStart, node.selectionEnd, node.readOnly]), [0, (await scanUrl(phone)).length, true]);
});

journey('whoever listens is told the number, and that of a fresh code', async (stage) => {
  const computer = await waiting(await stage.desktop());
  const said = () => computer.locator('.live').innerText();
  const first = await scanUrl(computer);
  assert.ok((await said()).endsWith(await number(computer)));
  await computer.getByRole('button', { name: '换一个二维码' }).click();
  await until('a fresh code', async () => await scanUrl(computer) !== first);
  assert.ok((await said()).endsWith(await number(computer)));
});

journey('a way that needs the platform’s page opens in a window, which answers and closes', async (stage) => {
  const computer = await waiting(await stage.desktop());
  await computer.getByRole('tab').nth(1).click();
  const asked = requestsTo(computer, site.issuer);
  const [popup] = await Promise.all([
    computer.waitForEvent('popup'),
    computer.getByRole('button', { name: '在新窗口中继续' }).click(),
  ]);
  const frame = popup.frameLocator('iframe[data-frame]');
  const code = await frame.locator('.js_qrcode_img').getAttribute('src');
  const tap = { uuid: /\/connect\/qrcode\/([\w=-]+)/.exec(code)[1], person: 'ada' };
  await house.wechat.call('/scan', tap);
  await house.wechat.call('/allow', tap);
  assert.equal((await site.exchange((await outcome(computer)).value)).name, 'Ada');
  assert.deepEqual(asked, [], 'the tab that was left asked nothing');
  await until('the window is closed', () => popup.isClosed());
});

journey('a window that is closed leads back to the panel, and another tab has a fresh code', async (stage) => {
  const computer = await waiting(await stage.desktop());
  const first = await scanUrl(computer);
  await computer.getByRole('tab').nth(1).click();
  const [popup] = await Promise.all([
    computer.waitForEvent('popup'),
    computer.getByRole('button', { name: '在新窗口中继续' }).click(),
  ]);
  await popup.close();
  await computer.getByRole('tab').first().click();
  await card(computer, 'waiting').waitFor();
  assert.notEqual(await scanUrl(computer), first);
  await confirm(computer);
  assert.ok((await outcome(computer)).value);
});

journey('inside WeChat the whole page goes, and comes back with a code, once', async (stage) => {
  const phone = await stage.wechat();
  await visit(phone, site, '/cb');
  await phone.evaluate(({ issuer, clientId }) => { window.sdk.scanLogin({ issuer, clientId }); }, { issuer: site.issuer, clientId: site.id });
  await agree(phone, 'ada');
  await phone.waitForURL(`${site.url}/cb?**`);
  await phone.locator('html[data-ready]').waitFor({ state: 'attached' });
  const result = await phone.evaluate(() => window.sdk.finishRedirect());
  assert.equal(phone.url(), `${site.url}/cb`);
  assert.equal((await site.exchange(result)).name, 'Ada');
  assert.equal(await phone.evaluate(() => window.sdk.finishRedirect()), null);
});

journey('inside WeChat, from a frame the whole page goes; in a frame of somebody else’s page the call fails at once', async (stage) => {
  const phone = await stage.wechat();
  const html = (body) => ({ contentType: 'text/html', body: `<!doctype html><title>frame</title>${body}` });
  await phone.route(`${site.url}/inner`, (route) => route.fulfill(html('<script type="module" src="/call.js"></script>')));
  for (const outer of [`${site.url}/outer`, 'https://other.example/']) {
    await phone.route(outer, (route) => route.fulfill(html(`<iframe src="${site.url}/inner"></iframe>`)));
    await phone.goto(outer);
    const frame = await until('the frame', () => phone.frames().find((each) => each.url().endsWith('/inner')));
    await frame.locator('html[data-ready]').waitFor({ state: 'attached' });
    const call = frame.evaluate((options) => window.sdk.scanLogin(options).catch((error) => error.errMsg || String(error)), { issuer: site.issuer, clientId: site.id, redirectUri: `${site.url}/cb` });
    if (outer.startsWith(site.url)) {
      call.catch(() => {}); // its page is gone
      await agree(phone, 'ada');
      await phone.waitForURL(`${site.url}/cb?**`);
      await phone.locator('html[data-ready]').waitFor({ state: 'attached' });
      assert.equal((await site.exchange(await phone.evaluate(() => window.sdk.finishRedirect()))).name, 'Ada');
    } else {
      assert.equal(await call, 'login:fail unsupported: in a frame of another origin, or without storage');
    }
  }
});

test('inside WeChat, who goes back to a page that the browser kept as it was has given up, and can begin again', { timeout: 60_000 }, async () => {
  const browser = await launch({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  try {
    const stage = new Stage(browser);
    const phone = await visit(await stage.wechat(), site);
    await begin(phone, site, { redirectUri: `${site.url}/cb` });
    await phone.locator('#login').waitFor();
    await phone.evaluate(() => { setTimeout(() => history.back()); });
    await phone.locator('#in').waitFor();
    const [name, { reason }] = await until('an end of the call', () => phone.evaluate(() => window.calls[0]));
    assert.deepEqual([name, reason], ['fail', 'cancelled']);
    stage.assertQuiet();
  } finally {
    await browser.close();
  }
});
