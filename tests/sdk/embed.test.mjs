/** `<scan-login>`, Vue and uni-app on somebody else's page: events, slots, looks, tabs that are left, keyboard, readers. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { after, before, test } from 'node:test';

import { journeys } from '../support/browser.mjs';
import { startHouse } from '../support/house.mjs';
import { until } from '../support/wait.mjs';
import { agree, begin, bundled, card, number, outcome, requestsTo, scanUrl, startSdkSite, visit } from './support.mjs';

const journey = journeys();
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
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

/** An element with these attributes, whose events are noted. */
async function embed(page, attributes = {}, inner = '') {
  await visit(page, site, '/element');
  await page.evaluate(({ given, text }) => {
    const element = document.createElement('scan-login');
    window.heard = [];
    for (const type of ['success', 'fail', 'scanned', 'approved', 'expired', 'denied', 'error', 'cancel']) {
      element.addEventListener(type, ({ detail }) => window.heard.push([type, detail && { ...detail }]));
    }
    for (const name of Object.keys(given)) element.setAttribute(name, given[name]);
    if (text) {
      const slot = document.createElement('em');
      slot.slot = 'scanned';
      slot.textContent = text;
      element.append(slot);
    }
    document.getElementById('main').append(element);
  }, { given: { issuer: site.issuer, 'client-id': site.id, ...attributes }, text: inner });
  return page;
}

const heard = (page) => page.evaluate(() => window.heard.map(([type]) => type));

/** Scans the present code. */
async function scanned(page, phone) {
  await phone.scan(await scanUrl(page));
  await card(page, 'scanned').waitFor();
}

/** What axe finds serious. */
async function serious(page) {
  await page.evaluate(await readFile(AXE, 'utf8'));
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes[0].html} ${nodes[0].failureSummary}`);
}

journey('the element tells its story by events, and its slot shows while the phone confirms', async (stage) => {
  const page = await embed(await stage.desktop(), {}, '请看手机');
  await card(page, 'waiting').waitFor();
  const phone = house.wechat.phone('ada');
  await scanned(page, phone);
  assert.ok(await page.locator('em').isVisible());
  assert.equal(await phone.approve(await number(page)), 'approved');
  await until('success', async () => (await heard(page)).includes('success'));
  const [, result] = await page.evaluate(() => window.heard.find(([type]) => type === 'success'));
  assert.equal((await site.exchange(result)).name, 'Ada');
  assert.deepEqual(await heard(page), ['scanned', 'approved', 'success']);
});

journey('variables of the page colour the panel, light and dark are asked for by name', async (stage) => {
  const page = await embed(await stage.desktop({ colorScheme: 'dark' }), { theme: 'light' });
  await card(page, 'waiting').waitFor();
  const look = (selector, property) => page.locator(selector).first().evaluate((node, name) => getComputedStyle(node)[name], property);
  assert.equal(await look('.card', 'backgroundColor'), 'rgb(250, 250, 240)');
  assert.equal(await look('.card', 'colorScheme'), 'light');
  await page.locator('scan-login').evaluate((element) => element.setAttribute('theme', 'dark'));
  assert.equal(await look('.card', 'colorScheme'), 'dark');
});

journey('paused or taken away, it asks nothing more; resumed, it has a fresh code', async (stage) => {
  const desktop = await stage.desktop();
  await desktop.clock.install();
  const page = await embed(desktop);
  await card(page, 'waiting').waitFor();
  const element = page.locator('scan-login');
  const cancelled = () => page.waitForResponse((response) => response.url().endsWith('/cancel') && response.request().method() === 'POST');
  await Promise.all([cancelled(), element.evaluate((node) => node.setAttribute('paused', ''))]);
  await card(page).waitFor({ state: 'detached' });
  const asked = requestsTo(page, site.issuer);
  await page.clock.runFor('05:00');
  assert.deepEqual(asked, []);
  await element.evaluate((node) => node.removeAttribute('paused'));
  await card(page, 'waiting').waitFor();
  await Promise.all([cancelled(), element.evaluate((node) => node.remove())]);
  asked.splice(0);
  await page.clock.runFor('05:00');
  assert.deepEqual(asked, []);
});

journey('set again to the value it has, moved, or given another language, the login goes on; another value begins anew', async (stage) => {
  const page = await embed(await stage.desktop(), { lang: 'zh-CN', scope: 'openid' });
  await card(page, 'waiting').waitFor();
  const url = await scanUrl(page);
  const phone = house.wechat.phone('ada');
  await scanned(page, phone);
  const asked = requestsTo(page, site.issuer);
  const element = page.locator('scan-login');
  await element.evaluate((node) => { // as a framework that hydrates a page does
    for (const name of node.getAttributeNames()) node.setAttribute(name, node.getAttribute(name));
  });
  await element.evaluate((node) => document.body.append(node));
  await element.evaluate((node) => node.setAttribute('lang', 'en'));
  await page.getByText('Scanned. Confirm on your phone').last().waitFor();
  await page.getByText('Only scan codes on pages you opened yourself').waitFor();
  assert.equal(await card(page).getAttribute('lang'), 'en');
  assert.deepEqual(asked, []);
  assert.equal(await scanUrl(page), url);
  assert.equal(await phone.approve(await number(page)), 'approved');
  await until('success', async () => (await heard(page)).includes('success'));
  await element.evaluate((node) => node.setAttribute('scope', 'openid profile'));
  await card(page, 'waiting').waitFor();
  assert.notEqual(await scanUrl(page), url);
});

journey('paused is a property as well, and frameworks that write the word false mean it', async (stage) => {
  const page = await embed(await stage.desktop(), { paused: 'false' });
  await card(page, 'waiting').waitFor();
  const url = await scanUrl(page);
  await page.locator('scan-login').evaluate((node) => node.removeAttribute('paused'));
  assert.equal(await scanUrl(page), url, 'which changed nothing');
  const element = page.locator('scan-login');
  for (const off of [false, 'false']) {
    await element.evaluate((node) => { node.paused = true; });
    await card(page).waitFor({ state: 'detached' });
    assert.equal(await element.getAttribute('paused'), '');
    await element.evaluate((node, value) => { node.paused = value; }, off);
    await card(page, 'waiting').waitFor();
    assert.equal(await element.evaluate((node) => node.paused), false);
  }
  await element.evaluate((node) => node.setAttribute('paused', 'true'));
  await card(page).waitFor({ state: 'detached' });
});

journey('left while the phone confirms, by whatever way, the code is dead: the phone does not hear that it signed somebody in', async (stage) => {
  const ways = {
    removed: (page) => page.locator('scan-login').evaluate((node) => node.remove()),
    paused: (page) => page.locator('scan-login').evaluate((node) => node.setAttribute('paused', '')),
    'another channel, in a window': (page) => page.getByRole('tab').nth(1).click(),
    'the component of Vue unmounted': (page) => page.locator('#to-password').click(),
  };
  for (const [name, leave] of Object.entries(ways)) {
    const page = await stage.desktop();
    if (name.includes('Vue')) await vuePage(page, 'scan');
    else await embed(page);
    await card(page, 'waiting').waitFor();
    const digits = await number(page);
    const phone = house.wechat.phone('ada');
    await scanned(page, phone);
    const cancelled = page.waitForResponse((response) => response.url().endsWith('/cancel') && response.request().method() === 'POST');
    await leave(page);
    assert.equal((await cancelled).status(), 204, name);
    assert.equal(await phone.approve(digits), 'expired', name);
  }
});

journey('after the time of the call, a way that needs a window can be begun again', async (stage) => {
  const desktop = await stage.desktop();
  await desktop.clock.install();
  const page = await embed(desktop, { provider: 'wechat-web', timeout: '60000' });
  const onward = page.getByRole('button', { name: '在新窗口中继续' });
  await onward.waitFor();
  await page.clock.runFor(61_000);
  assert.deepEqual(await heard(page), ['expired', 'fail']);
  assert.equal(await onward.count(), 0);
  await page.getByRole('button', { name: '再试一次' }).click();
  await onward.waitFor();
  assert.equal(await page.getByText('浏览器拦下了新窗口').count(), 0);
});

journey('it speaks English where the page does, and the words of the platform too', async (stage) => {
  const page = await embed(await stage.desktop(), { lang: 'en' });
  await card(page, 'waiting').waitFor();
  await page.locator('.number').filter({ hasText: 'Type this number on your phone' }).waitFor();
  await page.getByRole('paragraph').filter({ hasText: 'Open WeChat, tap' }).waitFor();
});

journey('inside WeChat it is a button that leaves, and tells of whoever comes back, even if its script runs before the page’s own', async (stage) => {
  const early = await startSdkSite(house.server, { id: 'early', back: '/early' });
  try {
    const phone = await visit(await stage.wechat(), early, '/cb');
    await phone.getByRole('button', { name: '登录' }).click();
    await agree(phone, 'ada');
    await phone.waitForURL(`${early.url}/cb**`);
    await phone.locator('html[data-ready]').waitFor({ state: 'attached' });
    await until('success', async () => (await heard(phone)).includes('success'));
    const [, result] = await phone.evaluate(() => window.heard[0]);
    assert.equal((await early.exchange(result)).name, 'Ada');
    assert.equal(phone.url(), `${early.url}/cb`);
    assert.deepEqual(await heard(phone), ['success']);
  } finally {
    await early.stop();
  }
});

journey('a nonce survives a policy that hides the attribute', async (stage) => {
  const page = await embed(await stage.desktop(), { nonce: 'the-nonce' });
  await card(page, 'waiting').waitFor();
  const phone = house.wechat.phone('ada');
  await scanned(page, phone);
  await phone.approve(await number(page));
  await until('success', async () => (await heard(page)).includes('success'));
  const [, result] = await page.evaluate(() => window.heard.find(([type]) => type === 'success'));
  assert.equal(result.nonce, 'the-nonce');
  assert.equal((await site.exchange(result)).name, 'Ada');
});

journey('everything goes by keyboard: tabs by arrows, the layer keeps the focus, Esc leaves', async (stage) => {
  const page = await visit(await stage.desktop(), site);
  await page.evaluate(() => document.querySelector('#in').addEventListener('click', () => {}));
  await begin(page, site);
  await card(page, 'waiting').waitFor();
  const focused = () => page.evaluate(() => {
    let node = document.activeElement;
    while (node.shadowRoot && node.shadowRoot.activeElement) node = node.shadowRoot.activeElement;
    return node.getAttribute('role') || node.className || node.tagName;
  });
  await page.getByRole('tab').first().focus();
  await page.keyboard.press('ArrowRight');
  await page.locator('[role=tab][aria-selected=true]:text-is("微信扫码"), [role=tab]:nth-child(2)[aria-selected=true]').first().waitFor();
  assert.equal(await focused(), 'tab');
  const inPage = [];
  for (let presses = 0; presses < 8; presses += 1) {
    await page.keyboard.press('Tab');
    inPage.push(await page.evaluate(() => document.activeElement.id));
  }
  assert.ok(!inPage.includes('in'), 'the page behind is out of reach');
  await page.keyboard.press('Escape');
  assert.equal((await outcome(page)).failed.reason, 'cancelled');
});

journey('axe finds nothing serious: waiting, refused, in a window’s tab, light and dark, on the page and in the layer', async (stage) => {
  for (const colorScheme of ['light', 'dark']) {
    const page = await visit(await stage.desktop({ colorScheme }), site);
    await begin(page, site);
    await card(page, 'waiting').waitFor();
    assert.deepEqual(await serious(page), []);
    await page.getByRole('tab').nth(1).click();
    await page.getByRole('button', { name: '在新窗口中继续' }).waitFor();
    assert.deepEqual(await serious(page), []);
    const other = await embed(await stage.desktop({ colorScheme }), { theme: colorScheme });
    const phone = house.wechat.phone('ada');
    await card(other, 'waiting').waitFor();
    await scanned(other, phone);
    assert.deepEqual(await serious(other), []);
    await phone.deny();
    await card(other, 'denied').waitFor();
    assert.deepEqual(await serious(other), []);
  }
});

journey('the layer has a name from the start, also where nothing answers, and its tabs have a panel', async (stage) => {
  const page = await visit(await stage.desktop(), site);
  await page.route(`${site.issuer}/**`, (route) => route.abort());
  await begin(page, site);
  await page.getByRole('dialog', { name: '登录二维码' }).waitFor();
  await card(page, 'error').waitFor();
  await page.getByRole('dialog', { name: '登录二维码' }).waitFor();
  assert.deepEqual(await serious(page), []);
  await page.unroute(`${site.issuer}/**`);
  await page.getByRole('button', { name: '再试一次' }).click();
  await page.getByRole('dialog', { name: '登录到 测试网站' }).waitFor();
  for (const at of [0, 1]) {
    const tab = page.getByRole('tab').nth(at);
    await tab.click();
    await page.getByRole('tabpanel', { name: await tab.innerText(), exact: true }).waitFor();
  }
});

journey('whoever listens is told of a platform’s trouble, not of a number that nobody can use', async (stage) => {
  const page = await visit(await stage.desktop(), site);
  await page.route(`${site.issuer}/api/browser/logins`, async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    const response = await route.fetch();
    const told = await response.json();
    told.face.trouble = { heading: '微信没有回应', text: '请换一种方式登录。' };
    return route.fulfill({ response, json: told });
  });
  await begin(page, site);
  await page.locator('.body').getByText('微信没有回应').waitFor();
  assert.equal(await page.locator('.live').textContent(), '微信没有回应');
});

// ---- Vue and uni-app, as a bundler puts them together ----

const vuePage = (page, tab) => visit(page, site, '/vue').then(() => page.goto(`${site.url}/vue?tab=${tab}&issuer=${encodeURIComponent(site.issuer)}&client=${site.id}`));
const events = (page) => page.evaluate(() => window.events);

journey('the Vue component logs in, with typed events and a slot', async (stage) => {
  const page = await stage.desktop();
  await vuePage(page, 'scan');
  await card(page, 'waiting').waitFor();
  const phone = house.wechat.phone('ada');
  await scanned(page, phone);
  assert.ok(await page.locator('em').isVisible());
  await phone.approve(await number(page));
  await until('success', async () => (await events(page)).some(([name]) => name === 'success'));
  const [, result] = (await events(page)).find(([name]) => name === 'success');
  assert.equal(result.nonce, 'the-nonce');
  assert.equal((await site.exchange(result)).name, 'Ada');
});

journey('useScanLogin gives a face of one’s own all it needs', async (stage) => {
  const page = await stage.desktop();
  await vuePage(page, 'own');
  const own = page.locator('#own');
  await page.locator('#own[data-status="waiting"]').waitFor();
  const phone = house.wechat.phone('ada');
  await phone.scan(await own.getAttribute('data-url'));
  await page.locator('#own[data-status="scanned"]').waitFor();
  assert.ok(Number(await page.locator('#left').innerText()) > 0);
  await phone.approve(await page.locator('#number').innerText());
  await page.locator('#own[data-status="approved"]').waitFor();
  await until('success', async () => (await events(page)).some(([name]) => name === 'success'));
  assert.equal((await site.exchange((await events(page))[0][1])).name, 'Ada');
});

journey('kept alive out of sight, a login gives its code up, and has a fresh one when it is seen again', async (stage) => {
  const page = await stage.desktop();
  await vuePage(page, 'own&keep');
  const own = page.locator('#own[data-status="waiting"]');
  await own.waitFor();
  const url = await own.getAttribute('data-url');
  const digits = await page.locator('#number').innerText();
  const phone = house.wechat.phone('ada');
  await phone.scan(url);
  await page.locator('#own[data-status="scanned"]').waitFor();
  await Promise.all([page.waitForResponse((response) => response.url().endsWith('/cancel') && response.status() === 204), page.locator('#to-password').click()]);
  assert.equal(await phone.approve(digits), 'expired');
  await page.locator('#to-own').click();
  await own.waitFor();
  assert.notEqual(await own.getAttribute('data-url'), url);
});

journey('useScanLogin begins again with a fresh proof, and keeps to it', async (stage) => {
  const page = await stage.desktop();
  await vuePage(page, 'own');
  await page.locator('#own[data-status="waiting"]').waitFor();
  const begun = () => page.waitForRequest((request) => request.method() === 'POST' && request.url().endsWith('/api/browser/logins'));
  const [first] = await Promise.all([begun(), page.evaluate(() => { window.own.start({ state: 'fresh', nonce: 'fresh-too' }); })]);
  const [second] = await Promise.all([begun(), page.evaluate(() => { window.own.start(new MouseEvent('click')); })]);
  for (const request of [first, second]) {
    const { state, nonce } = request.postDataJSON();
    assert.deepEqual({ state, nonce }, { state: 'fresh', nonce: 'fresh-too' });
  }
});

journey('the one call for uni-app shows the panel on H5', async (stage) => {
  const page = await visit(await stage.desktop(), site, '/uni');
  await page.evaluate((h5) => {
    window.outcome = window.login({ provider: 'weixin', timeout: 60_000, h5 }).then((value) => ({ value }), ({ errMsg }) => ({ failed: errMsg }));
  }, { issuer: site.issuer, clientId: site.id });
  await card(page, 'waiting').waitFor();
  const phone = house.wechat.phone('ada');
  await scanned(page, phone);
  await phone.approve(await number(page));
  assert.equal((await site.exchange((await outcome(page)).value)).name, 'Ada');
});

journey('password ↔ scan: the tab that is left asks nothing any more, and coming back shows a fresh code', async (stage) => {
  const page = await stage.desktop();
  await page.clock.install();
  for (const tab of ['scan', 'own']) {
    await vuePage(page, tab);
    await page.locator('[data-status="waiting"]').waitFor();
    const cancelled = page.waitForResponse((response) => response.url().endsWith('/cancel') && response.request().method() === 'POST');
    await page.locator('#to-password').click();
    await page.locator('input[type=password]').waitFor();
    await cancelled;
    const asked = requestsTo(page, site.issuer);
    await page.clock.runFor('05:00');
    assert.deepEqual(asked, []);
    await page.locator(`#to-${tab}`).click();
    await page.locator('[data-status="waiting"]').waitFor();
    assert.match(asked[0], /^(OPTIONS|POST) \/api\/browser\/logins$/);
  }
});

test('a face of one’s own brings no panel along', async () => {
  const own = await bundled('vue-own.mjs', { minify: true, external: ['vue'] });
  assert.ok(own.includes('/api/browser/logins'));
  assert.equal(/attachShadow|customElements|adoptedStyleSheets/.test(own), false);
  const both = await bundled('vue-page.mjs', { minify: true, external: ['vue'] });
  assert.ok(both.includes('customElements.define'), 'where the component is used, its element is there');
});

// It was 8 KiB until leaving a panel told the server, a channel that went away was forgotten, a frame was told from a page, and
// whoever listens heard the name of the layer and of its tabs: some 400 bytes that nothing else here could make room for. And 8.5
// until a code that no fresh one took the place of was ended too, and a login begun from its own last news stayed the new one.
test('all of the core is below 8.625 KiB, as a bundler ships it', async (context) => {
  const sizes = {};
  for (const name of ['mashang', 'element', 'uni']) {
    sizes[name] = gzipSync(await bundled(`../../sdk/js/src/${name}.js`, { minify: true }), { level: 9 }).length;
  }
  context.diagnostic(Object.keys(sizes).map((name) => `${name}: ${sizes[name]} bytes minified and gzipped`).join(', '));
  assert.ok(sizes.mashang <= 8832, `${sizes.mashang} bytes`);
});
