/** Our QR, opened in WeChat, in the demo as `mashang` starts it. */

import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import {
  approve, deny, journeys, number, openInWeChat, otherNumber, outcome, scan, scanUrl, status, ticketUrl,
} from '../support/browser.mjs';
import { startDemo } from '../support/processes.mjs';
import { WeChat } from '../support/wechat.mjs';

const journey = journeys();
let demo;
let wechat;
before(async () => {
  demo = await startDemo();
  wechat = new WeChat(demo.sandbox);
});
after(() => demo?.stop());

/** At the sample site, on the way to the login page. */
async function signIn(page) {
  await page.goto(demo.site);
  await page.click('#login');
  await status(page, 'waiting').waitFor();
  return page;
}

const signedIn = (page) => page.locator('#hello');
const claim = (page, name) => page.locator('tr', { has: page.locator(`th:text-is("${name}")`) }).locator('td').innerText();

journey('a person scans with WeChat, types the number, approves, and is signed in at the website', async (stage) => {
  const computer = await signIn(await stage.desktop());
  const phone = await stage.wechat();
  const url = await stage.camera(computer.locator('[data-qr]'));
  assert.equal(url, await scanUrl(computer), 'the QR holds the scan link and nothing else');
  await scan(phone, url, 'xiaoming');
  await status(computer, 'scanned').waitFor();
  assert.match(await phone.locator('main').innerText(), /小明[\s\S]*示例网站|示例网站[\s\S]*小明/);
  await approve(phone, await number(computer));
  await outcome(phone, 'approved').waitFor();
  await signedIn(computer).waitFor();

  const person = await wechat.person('xiaoming');
  const openids = Object.values(person.openids);
  assert.ok((await claim(computer, 'sub')).length >= 16);
  assert.equal(await claim(computer, 'name'), person.nickname);
  assert.ok(openids.includes(await claim(computer, 'wechat_openid')));
  assert.ok(Object.values(person.unionids).includes(await claim(computer, 'wechat_unionid')));
  assert.match(await claim(computer, 'amr'), /wechat-official/);
  assert.equal(new URL(computer.url()).search, '', 'neither code nor state stays in the address');
});

journey('denying on the phone says so on the computer, and a fresh code can still be approved', async (stage) => {
  const computer = await signIn(await stage.desktop());
  const phone = await stage.wechat();
  await scan(phone, await scanUrl(computer), 'xiaohong');
  await deny(phone);
  await outcome(phone, 'denied').waitFor();
  await status(computer, 'denied').waitFor();
  const denied = await scanUrl(computer);
  await computer.locator('.when-denied button').click();
  await status(computer, 'waiting').waitFor();
  assert.notEqual(await scanUrl(computer), denied);
  const second = wechat.phone('xiaohong');
  await second.scan(await scanUrl(computer));
  assert.equal(await second.approve(await number(computer)), 'approved');
  await signedIn(computer).waitFor();
});

journey('SEC-09 a wrong number ends the attempt for good', async (stage) => {
  const computer = await signIn(await stage.desktop());
  const phone = await stage.wechat();
  await scan(phone, await scanUrl(computer), 'ada');
  const right = await number(computer);
  await approve(phone, otherNumber(right));
  await outcome(phone, 'wrong_number').waitFor();
  await status(computer, 'wrong_number').waitFor();
  await phone.goBack({ waitUntil: 'commit' });
  assert.equal(await phone.locator('form#approve').count(), 0, 'there is no second try');
  await computer.locator('.when-wrong_number button').click();
  await status(computer, 'waiting').waitFor();
});

journey('SEC-06 a second phone on a scanned code is refused, and the first may still approve', async (stage) => {
  const computer = await signIn(await stage.desktop());
  const [first, second] = [await stage.wechat(), await stage.wechat()];
  const url = await scanUrl(computer);
  await scan(first, url, 'xiaoming');
  await status(computer, 'scanned').waitFor();
  await second.goto(url);
  await outcome(second, 'taken').waitFor();
  await approve(first, await number(computer));
  await signedIn(computer).waitFor();
  assert.equal(await claim(computer, 'name'), '小明');
});

journey('SEC-06 two phones in WeChat at once: the one that comes back first owns the code', async (stage) => {
  const computer = await signIn(await stage.desktop());
  const url = await scanUrl(computer);
  const [first, second] = [wechat.phone('xiaoming'), wechat.phone('xiaohong')];
  const [one, other] = [await first.open(url), await second.open(url)];
  const back = await first.authorize(one);
  assert.match((await first.jar.get(back)).headers.get('location'), /\/confirm$/);
  const late = await second.authorize(other);
  assert.match((await second.jar.get(late)).headers.get('location'), /outcome=taken$/);
});

journey('reloading the page while waiting and after the scan loses nothing', async (stage) => {
  const computer = await signIn(await stage.desktop());
  const phone = await stage.wechat();
  const url = await scanUrl(computer);
  await computer.reload();
  await status(computer, 'waiting').waitFor();
  assert.equal(await scanUrl(computer), url, 'the same code is shown again');
  await scan(phone, url, 'ada');
  await status(computer, 'scanned').waitFor();
  await computer.reload();
  await status(computer, 'scanned').waitFor();
  await approve(phone, await number(computer));
  await signedIn(computer).waitFor();
});

journey('reloading the phone\'s confirm page asks the same question again', async (stage) => {
  const computer = await signIn(await stage.desktop());
  const phone = await stage.wechat();
  await scan(phone, await scanUrl(computer), 'ada');
  await phone.reload();
  await approve(phone, await number(computer));
  await outcome(phone, 'approved').waitFor();
  await signedIn(computer).waitFor();
});

journey('two tabs log in at once, and each ends on its own', async (stage) => {
  const left = await stage.desktop();
  const right = await left.context().newPage();
  await signIn(left);
  await signIn(right);
  assert.notEqual(ticketUrl(left), ticketUrl(right));
  const phones = [wechat.phone('xiaoming'), wechat.phone('xiaohong')];
  await phones[0].scan(await scanUrl(left));
  await phones[1].scan(await scanUrl(right));
  await Promise.all([status(left, 'scanned').waitFor(), status(right, 'scanned').waitFor()]);
  assert.equal(await phones[0].deny(), 'denied');
  await status(left, 'denied').waitFor();
  assert.equal(await status(right, 'scanned').count(), 1, 'the other tab goes on');
  assert.equal(await phones[1].approve(await number(right)), 'approved');
  await signedIn(right).waitFor();
  assert.equal(await claim(right, 'name'), '小红');
});

journey('without scripts the QR is shown, and a button continues after the approval', async (stage) => {
  const computer = await stage.desktop({ javaScriptEnabled: false });
  await signIn(computer);
  const phone = await stage.wechat();
  const url = await stage.camera(computer.locator('[data-qr]'));
  await scan(phone, url, 'xiaoming');
  const button = computer.locator('noscript form[data-form="redeem"] button, .no-script form[data-form="redeem"] button').first();
  await button.click();
  await status(computer, 'scanned').waitFor();
  await approve(phone, await number(computer));
  await outcome(phone, 'approved').waitFor();
  await button.click();
  await signedIn(computer).waitFor();
});

journey('without scripts a denied code is replaced by a button', async (stage) => {
  const computer = await stage.desktop({ javaScriptEnabled: false });
  await signIn(computer);
  const phone = wechat.phone('ada');
  const url = await scanUrl(computer);
  await phone.scan(url);
  assert.equal(await phone.deny(), 'denied');
  await computer.reload();
  await computer.locator('.when-denied button').click();
  await status(computer, 'waiting').waitFor();
  assert.notEqual(await scanUrl(computer), url);
});

journey('a phone\'s own camera is handed to the sandbox phone in the demo, and completes', async (stage) => {
  const computer = await signIn(await stage.desktop());
  const phone = await stage.phone();
  await phone.goto(await stage.camera(computer.locator('[data-qr]')));
  assert.equal(new URL(phone.url()).origin, demo.sandbox);
  await phone.locator('button[name="person"][value="xiaohong"]').click();
  await phone.locator('a[data-onward]').click();
  await phone.locator('button[name="answer"][value="allow"]').click();
  await approve(phone, await number(computer));
  await outcome(phone, 'approved').waitFor();
  await signedIn(computer).waitFor();
  assert.equal(await claim(computer, 'name'), '小红');
});

journey('clicking the QR opens the sandbox phone in a tab beside the page, which still asks for the number', async (stage) => {
  const computer = await signIn(await stage.desktop());
  const [phone] = await Promise.all([computer.context().waitForEvent('page'), computer.locator('a[data-qr]').click()]);
  await phone.locator('button[name="person"][value="ada"]').click();
  await phone.locator('a[data-onward]').click();
  await phone.locator('button[name="answer"][value="allow"]').click();
  await approve(phone, await number(computer));
  await outcome(phone, 'approved').waitFor();
  await signedIn(computer).waitFor();
  assert.equal(await claim(computer, 'name'), 'Ada');
});

journey('SEC-11 inside WeChat there is no QR: one button, no number, and the person is signed in right there', async (stage) => {
  const phone = await stage.wechat();
  await signIn(phone);
  assert.equal(await phone.locator('[data-qr]').count(), 0);
  await phone.locator('a[data-link="onward"]').click();
  await phone.locator('button[name="person"][value="xiaoming"]').click();
  await phone.locator('button[name="answer"][value="allow"]').click();
  await phone.locator('form#approve').waitFor({ state: 'attached' });
  assert.equal(await phone.locator('#number').count(), 0);
  await approve(phone);
  await signedIn(phone).waitFor();
  assert.equal(await claim(phone, 'name'), '小明');
});

journey('denying WeChat\'s own question signs nobody in and the code stays', async (stage) => {
  const computer = await signIn(await stage.desktop());
  const phone = await stage.wechat();
  await openInWeChat(phone, await scanUrl(computer), 'xiaoming');
  await phone.locator('button[name="answer"][value="deny"]').click();
  await phone.locator('section.notice').waitFor();
  assert.equal(await status(computer, 'waiting').count(), 1);
  const again = wechat.phone('xiaoming');
  await again.scan(await scanUrl(computer));
  assert.equal(await again.approve(await number(computer)), 'approved');
  await signedIn(computer).waitFor();
});

journey('back to the website without a login ends the attempt there with access_denied', async (stage) => {
  const computer = await signIn(await stage.desktop());
  await computer.locator('form[data-form="cancel"] button').click();
  await computer.locator('.trouble').waitFor();
  assert.match(await computer.locator('.trouble').innerText(), /access_denied/);
});
