/** One login page, every mode: password, e-mail and SMS beside the QR, by mouse and by keyboard alone. */

import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { approve, journeys, number, scan, scanUrl, status } from '../support/browser.mjs';
import { claim, signedIn, signInAtSample } from '../support/demo.mjs';
import { startDemo } from '../support/processes.mjs';
import { until } from '../support/wait.mjs';

const journey = journeys();
let demo;
before(async () => { demo = await startDemo(); });
after(() => demo?.stop());

const tab = (page, channel) => page.locator(`nav.tabs a[href="?channel=${channel}"]`);
const form = (page) => page.locator('#login[data-mode="form"]');

/** Opens a tab of the login page. */
async function open(page, channel) {
  await tab(page, channel).click();
  await page.locator(`nav.tabs a[href="?channel=${channel}"][aria-current="page"]`).waitFor();
}

/** What the terminal says the demo's password is. */
function password() {
  return /用户名和密码\s+demo\s+(\S+)/.exec(demo.running.stdout)[1];
}

/** The newest code that went to somebody. */
async function codeFor(to) {
  return until(`a code for ${to}`, async () => {
    const { messages } = await (await fetch(`${demo.sandbox}/sandbox/api/outbox`)).json();
    return messages.find((message) => message.to === to)?.code;
  });
}

journey('a password signs in, and a wrong one is said at its field with the name kept', async (stage) => {
  const page = await signInAtSample(await stage.desktop(), demo, 'password');
  await page.locator('#username').fill('demo');
  await page.locator('#password').fill('not the password');
  await page.locator('[data-reveal]').click();
  assert.equal(await page.locator('#password').getAttribute('type'), 'text');
  await page.locator('.way button.button').click();
  await page.locator('#password-complaint').waitFor();
  assert.equal(await page.locator('#username').inputValue(), 'demo');
  assert.equal(await page.locator('#password').inputValue(), '');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'password');
  assert.ok(!page.url().endsWith('/password'), 'a reload asks nothing again');
  await page.locator('#password').fill(password());
  await page.locator('.way button.button').click();
  await signedIn(page).waitFor();
  assert.equal(await claim(page, 'name'), '示例用户 Demo');
});

journey('leaving the tab that scans ends every request of it', async (stage) => {
  const page = await signInAtSample(await stage.desktop(), demo);
  await open(page, 'password');
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('websocket', (socket) => asked.push(socket.url()));
  await page.locator('#username').fill('somebody');
  // The QR tab asks for its ticket again whenever it is looked at; under a form nobody does.
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  await page.evaluate(() => new Promise((done) => { requestIdleCallback(done); }));
  // A browser fetches a page's icon when it pleases.
  assert.deepEqual(asked.filter((url) => !url.endsWith('/favicon.svg')), []);
  assert.equal(await page.locator('script[src*="login.js"]').count(), 0);
});

journey('password, scan, SMS: one request survives all of it, and the person of the last one is signed in', async (stage) => {
  const page = await signInAtSample(await stage.desktop(), demo, 'password');
  await page.locator('#username').fill('demo');
  await open(page, 'wechat');
  await status(page, 'waiting').waitFor();
  await open(page, 'sms');
  await page.locator('#to').fill('138 0013 8001');
  await page.locator('.way button.button').click();
  await page.locator('#code').waitFor();
  assert.ok(await page.locator('.again button').isDisabled(), 'another code has to wait');
  await page.reload();
  await page.locator('#code').fill(await codeFor('+8613800138001'));
  await page.locator('.way button.button').click();
  await signedIn(page).waitFor();
  assert.ok((await claim(page, 'sub')).length > 10);
});

journey('after a look at the forms the QR still signs in', async (stage) => {
  const page = await signInAtSample(await stage.desktop(), demo, 'email');
  await open(page, 'wechat');
  await status(page, 'waiting').waitFor();
  const phone = await stage.wechat();
  await scan(phone, await scanUrl(page), 'xiaoming');
  await approve(phone, await number(page));
  await signedIn(page).waitFor();
});

journey('an e-mail code by keyboard alone, and its tab is open the next time', async (stage) => {
  const page = await signInAtSample(await stage.desktop(), demo);
  await tab(page, 'email').focus();
  await page.keyboard.press('Enter');
  await form(page).waitFor();
  await page.locator('#to:focus').waitFor();
  await page.keyboard.type('ada@example.com');
  await page.keyboard.press('Enter');
  await page.locator('#code:focus').waitFor();
  await page.keyboard.type(await codeFor('ada@example.com'));
  await page.keyboard.press('Enter');
  await signedIn(page).waitFor();
  await page.context().clearCookies({ name: 'mashang_session' });
  await page.goto(`${demo.site}/login`);
  await page.locator('nav.tabs a[href="?channel=email"][aria-current="page"]').waitFor();
});

journey('without a script both steps of a code work', async (stage) => {
  const page = await stage.desktop({ javaScriptEnabled: false });
  await page.goto(`${demo.site}/login`);
  await open(page, 'email');
  await page.locator('#to').fill('bob@example.com');
  await page.locator('.way button.button').click();
  await page.locator('#code').fill(await codeFor('bob@example.com'));
  await page.locator('.way button.button').click();
  await signedIn(page).waitFor();
});

journey('the outbox shows a code as soon as it is there', async (stage) => {
  const outbox = await stage.desktop();
  await outbox.goto(`${demo.sandbox}/outbox`);
  const page = await signInAtSample(await stage.phone(), demo, 'email');
  await page.locator('#to').fill('eve@example.com');
  await page.locator('.way button.button').click();
  await page.locator('#code').waitFor();
  const shown = outbox.locator('.mail', { hasText: 'eve@example.com' }).locator('.code').first();
  await shown.waitFor();
  assert.equal(await shown.innerText(), await codeFor('eve@example.com'));
});
