/**
 * WeChat being slow, broken or wrong (promise 9): a clear page in the person's language, one log line for the operator,
 * nobody signed in, and the next try works.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';

import { approve, journeys, number, openInWeChat, scanUrl, signIn, status } from '../support/browser.mjs';
import { claims, startHouse } from '../support/house.mjs';
import { startComputer } from '../support/computer.mjs';
import { until } from '../support/wait.mjs';

/** What the server says, about WeChat. */
const words = Object.fromEntries(['zh-CN', 'en'].map((language) => {
  const all = JSON.parse(readFileSync(new URL(`../../crates/server/locales/${language}.json`, import.meta.url), 'utf8'));
  const filled = Object.entries(all).map(([key, text]) => [key, text.replaceAll('{app}', all['platform.wechat.name'])]);
  return [language, Object.fromEntries(filled)];
}));

const journey = journeys();
let house;
before(async () => { house = await startHouse(); });
beforeEach(() => house.wechat.faultsOff());
after(() => house?.stop());

/** Warnings and errors that the server logged since it had logged `from` lines. */
const complaints = (from) => house.server.log().slice(from).filter((line) => / (WARN|ERROR) /.test(line));

const FAULTS = [
  { fault: 'system_error', page: 'channel_busy', errcode: '-1' },
  { fault: 'invalid_code', page: 'channel_code', errcode: '40029' },
  { fault: 'used_code', page: 'channel_code', errcode: '40163' },
  { fault: 'empty_body', page: 'channel_down' },
  { fault: 'html_body', page: 'channel_down' },
  { fault: 'garbage_json', page: 'channel_down' },
  { fault: 'slow', options: { ms: 120_000 }, page: 'channel_down' },
];

for (const { fault, options, page, errcode } of FAULTS) {
  for (const language of ['zh-CN', 'en']) {
    test(`${fault}, ${language}: a clear page, one log line, nobody signed in, and the next try works`, { timeout: 60_000 }, async () => {
      const computer = await startComputer(house);
      const phone = house.wechat.phone('xiaoming', { 'accept-language': language });
      const back = await phone.authorize(await phone.open(computer.scanUrl));
      const from = house.server.log().length;
      await house.wechat.fault(fault, { target: 'access_token', ...options });
      const answer = await phone.jar.get(back);
      const html = await answer.text();

      assert.equal(answer.status, 502);
      assert.match(html, new RegExp(`<html lang="${language}">`));
      assert.ok(html.includes(words[language][`problem.${page}.heading`]), 'the heading in the person\'s language');
      const [, reference] = /class="reference">[^<]*<code>([\w-]+)</.exec(html);
      if (errcode) assert.match(html, new RegExp(`<code><bdi>${errcode}</bdi></code>`));
      const [line, ...more] = await until('a log line', () => complaints(from).length && complaints(from));
      assert.deepEqual(more, [], 'one log line and no more');
      assert.match(line, /channel wechat/);
      assert.ok(line.includes(reference), 'the page\'s reference finds the line');
      if (errcode) {
        assert.match(line, new RegExp(`errcode"?[=: ]+${errcode}\\b`));
        assert.match(line, / — \S+/, 'with what it means and what to do');
      }
      assert.equal((await computer.status()).status, 'waiting');

      await house.wechat.faultsOff();
      await phone.scan(computer.scanUrl);
      assert.equal(await phone.approve(computer.number), 'approved');
      assert.equal((await computer.finish()).name, '小明');
    });
  }
}

test('a passing hiccup of WeChat is tried again, and nobody notices', async () => {
  const computer = await startComputer(house);
  const phone = house.wechat.phone('ada');
  const from = house.server.log().length;
  await house.wechat.fault('system_error', { target: 'access_token', remaining: 1 });
  await phone.scan(computer.scanUrl);
  assert.equal(await phone.approve(computer.number), 'approved');
  assert.equal((await computer.finish()).name, 'Ada');
  assert.deepEqual(complaints(from), []);
});

test('a failure to read the profile is told as clearly as a failed code', async () => {
  const computer = await startComputer(house);
  const phone = house.wechat.phone('ada', { 'accept-language': 'en' });
  const back = await phone.authorize(await phone.open(computer.scanUrl));
  const from = house.server.log().length;
  await house.wechat.fault('system_error', { target: 'userinfo' });
  const answer = await phone.jar.get(back);
  assert.equal(answer.status, 502);
  assert.ok((await answer.text()).includes(words.en['problem.channel_busy.heading']));
  assert.equal((await until('a log line', () => complaints(from).length && complaints(from))).length, 1);
});

test('a snapshot user is asked to open the full page, and signs nobody in', async () => {
  const computer = await startComputer(house);
  const phone = house.wechat.phone('snapshot', { 'accept-language': 'en' });
  const answer = await phone.jar.get(await phone.authorize(await phone.open(computer.scanUrl)));
  assert.equal(answer.status, 502);
  assert.ok((await answer.text()).includes(words.en['problem.channel_snapshot.heading']));
  assert.equal((await computer.status()).status, 'waiting');
});

test('a return without a code is taken as a no, and nobody is signed in', async () => {
  const computer = await startComputer(house);
  const phone = house.wechat.phone('ada');
  await house.wechat.fault('callback_without_code', { remaining: 1 });
  const answer = await phone.jar.get(await phone.authorize(await phone.open(computer.scanUrl)));
  assert.match(answer.headers.get('location'), /outcome=denied$/);
  assert.equal((await computer.status()).status, 'waiting');
});

test('WeChat\'s answer without a unionid signs in by openid alone', async () => {
  await house.wechat.fault('no_unionid');
  const computer = await startComputer(house);
  const phone = house.wechat.phone('plain');
  await phone.scan(computer.scanUrl);
  await phone.approve(computer.number);
  const told = await computer.finish();
  assert.equal(told.wechat_unionid, undefined);
  assert.ok(told.wechat_openid);
});

describe('in a browser', () => {
  journey('a phone that meets a fault tries again with one tap', async (stage) => {
    const computer = await signIn(await stage.desktop(), house.site);
    const phone = await stage.wechat({ locale: 'en-GB' });
    await openInWeChat(phone, await scanUrl(computer), 'xiaoming');
    await house.wechat.fault('system_error');
    await phone.locator('button[name="answer"][value="allow"]').click();
    await phone.getByRole('heading', { name: words.en['problem.channel_busy.heading'] }).waitFor();
    await house.wechat.faultsOff();
    await phone.locator('.actions a').click();
    await phone.locator('button[name="answer"][value="allow"]').click();
    await approve(phone, await number(computer));
    assert.equal((await claims(computer)).name, '小明');
  });

  journey('a fault after WeChat\'s own page is told in the whole window, and the way back works', async (stage) => {
    const computer = await signIn(await stage.desktop({ locale: 'en-GB' }), house.site);
    await computer.locator('nav.tabs a[href*="wechat-web"]').click();
    await computer.locator('a[data-link="frame"]').click();
    await computer.waitForURL(`${house.sandbox.url}/**`, { waitUntil: 'commit' });
    const tap = { uuid: (await computer.locator('.js_qrcode_img').getAttribute('src')).split('/').at(-1), person: 'ada' };
    await house.wechat.fault('used_code', { remaining: 1 });
    await house.wechat.call('/scan', tap);
    await house.wechat.call('/allow', tap);
    await computer.getByRole('heading', { name: words.en['problem.channel_code.heading'] }).waitFor();
    await computer.locator('.actions a').click();
    await status(computer, 'waiting').waitFor();
  });

  journey('a fault inside the embedded frame is told there, and the page around it still works', async (stage) => {
    const computer = await signIn(await stage.desktop({ locale: 'en-GB' }), house.site);
    await computer.locator('nav.tabs a[href*="wechat-web"]').click();
    const inside = computer.frameLocator('iframe[data-frame]');
    const uuid = async () => (await inside.locator('.js_qrcode_img').getAttribute('src')).split('/').at(-1);
    const tap = { uuid: await uuid(), person: 'ada' };
    await house.wechat.fault('system_error');
    await house.wechat.call('/scan', tap);
    await house.wechat.call('/allow', tap);
    await inside.getByRole('heading', { name: words.en['problem.channel_busy.heading'] }).waitFor();
    await house.wechat.faultsOff();
    await computer.locator('.while-waiting form[data-form="refresh"] button').click();
    const again = { uuid: await until('a fresh QR', () => uuid().catch(() => '')), person: 'ada' };
    await house.wechat.call('/scan', again);
    await house.wechat.call('/allow', again);
    assert.equal((await claims(computer)).name, 'Ada');
  });

  journey('WeChat calling back twice signs in once, on the phone', async (stage) => {
    const computer = await signIn(await stage.desktop(), house.site);
    const phone = await stage.wechat();
    await openInWeChat(phone, await scanUrl(computer), 'xiaohong');
    await house.wechat.fault('duplicate_callback', { remaining: 1 });
    await phone.locator('button[name="answer"][value="allow"]').click();
    await approve(phone, await number(computer));
    assert.equal((await claims(computer)).name, '小红');
  });

  journey('WeChat calling back twice signs in once, by redirect', async (stage) => {
    const computer = await signIn(await stage.desktop(), house.site);
    await computer.locator('nav.tabs a[href*="wechat-web"]').click();
    await computer.locator('a[data-link="frame"]').click();
    await computer.waitForURL(`${house.sandbox.url}/**`, { waitUntil: 'commit' });
    const tap = { uuid: (await computer.locator('.js_qrcode_img').getAttribute('src')).split('/').at(-1), person: 'ada' };
    await house.wechat.fault('duplicate_callback', { remaining: 1 });
    await house.wechat.call('/scan', tap);
    await house.wechat.call('/allow', tap);
    assert.equal((await claims(computer)).name, 'Ada');
  });
});

test('WeChat calling back twice at the very same moment, cookies and all, exchanges the code once', async () => {
  const computer = await startComputer(house);
  const phone = house.wechat.phone('xiaohong');
  const back = await phone.authorize(await phone.open(computer.scanUrl));
  const from = house.server.log().length;
  const answers = await Promise.all([phone.jar.get(back), phone.jar.get(back)]);
  assert.deepEqual(answers.map((answer) => [answer.status, /\/confirm$/.test(answer.headers.get('location'))]), [[303, true], [303, true]]);
  assert.deepEqual(complaints(from), []);
});
