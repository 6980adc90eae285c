/**
 * The official account's own QR: WeChat draws it, tells us who scanned, and asks nobody; the account's message leads to
 * our page, which asks. In the demo as `mashang` starts it, and on a server whose codes live for seconds.
 */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';

import { approve, deny, journeys, number, otherNumber, outcome, signIn, status } from '../support/browser.mjs';
import { officialLink, parametric, tellWhereEventsGo } from '../support/channels.mjs';
import { chatLink, follow, lastBubble, openChatLink, scanAgain, scanIntoChat } from '../support/chat.mjs';
import { startComputer } from '../support/computer.mjs';
import { claim, signInAtSample, signedIn } from '../support/demo.mjs';
import { startHouse } from '../support/house.mjs';
import { startDemo } from '../support/processes.mjs';
import { until } from '../support/wait.mjs';
import { WeChat } from '../support/wechat.mjs';

const OFFICIAL = 'wx5a9d0b0c0de00002';
const journey = journeys();

/** The text in the QR that a login page shows, without a camera: the sandbox's link names it. */
const codeText = async (page) => new URL(await page.locator('a[data-qr]').getAttribute('href')).searchParams.get('open');

describe('in the demo', () => {
  let demo;
  let wechat;
  before(async () => {
    demo = await startDemo();
    wechat = new WeChat(demo.sandbox);
  });
  beforeEach(() => wechat.call('/reset', {}));
  after(() => demo?.stop());

  /** Somebody who follows the account already, without the account hearing of it now. */
  const makeFollower = (person) => wechat.call(`/chats/${OFFICIAL}/${person}`, { do: 'set', follows: true });
  const open = async (stage) => signInAtSample(await stage.desktop(), demo, 'wechat-scan');

  journey('a follower scans WeChat\'s QR, opens the link in the chat, types the number, approves, and is signed in', async (stage) => {
    await makeFollower('xiaoming');
    const computer = await open(stage);
    const text = await stage.camera(computer.locator('[data-qr]'));
    assert.match(text, /^https?:\/\/(weixin\.qq\.com|[^/]+\/weixin\.qq\.com)\/q\/[\w-]+$/, 'a code of WeChat\'s, not ours');
    const phone = await stage.wechat();
    await scanIntoChat(phone, demo.sandbox, text, 'xiaoming');
    await status(computer, 'scanned').waitFor();
    assert.equal(await signedIn(computer).count(), 0, 'a scan signs nobody in');
    await openChatLink(phone);
    assert.match(await phone.locator('main').innerText(), /示例网站/);
    await approve(phone, await number(computer));
    await outcome(phone, 'approved').waitFor();
    const person = await wechat.person('xiaoming');
    assert.equal(await claim(computer, 'wechat_openid'), person.openids[OFFICIAL]);
    assert.ok(Object.values(person.unionids).includes(await claim(computer, 'wechat_unionid')));
    assert.match(await claim(computer, 'amr'), /wechat-official/);
  });

  journey('somebody who does not follow yet taps 关注, gets the same link, and is signed in', async (stage) => {
    const computer = await open(stage);
    const phone = await stage.wechat();
    await scanIntoChat(phone, demo.sandbox, await codeText(computer), 'xiaohong');
    assert.equal(await lastBubble(phone).count(), 0, 'nothing is written to a stranger');
    assert.equal(await status(computer, 'waiting').count(), 1);
    await follow(phone);
    await status(computer, 'scanned').waitFor();
    await openChatLink(phone);
    await approve(phone, await number(computer));
    await signedIn(computer).waitFor();
    assert.equal(await claim(computer, 'wechat_openid'), (await wechat.person('xiaohong')).openids[OFFICIAL]);
  });

  journey('denying on the phone says so on the computer, and a fresh code of WeChat\'s signs in', async (stage) => {
    await makeFollower('ada');
    const computer = await open(stage);
    const phone = await stage.wechat();
    const first = await codeText(computer);
    await scanIntoChat(phone, demo.sandbox, first, 'ada');
    await openChatLink(phone);
    await deny(phone);
    await outcome(phone, 'denied').waitFor();
    await status(computer, 'denied').waitFor();
    await computer.locator('.when-denied button').click();
    await status(computer, 'waiting').waitFor();
    assert.notEqual(await codeText(computer), first);
    await scanAgain(phone, demo.sandbox, await codeText(computer));
    await openChatLink(phone);
    await approve(phone, await number(computer));
    await signedIn(computer).waitFor();
  });

  journey('SEC-09 a wrong number ends the attempt for good', async (stage) => {
    await makeFollower('ada');
    const computer = await open(stage);
    const phone = await stage.wechat();
    await scanIntoChat(phone, demo.sandbox, await codeText(computer), 'ada');
    const link = await chatLink(phone);
    await openChatLink(phone);
    await approve(phone, otherNumber(await number(computer)));
    await outcome(phone, 'wrong_number').waitFor();
    await status(computer, 'wrong_number').waitFor();
    await phone.goto(link);
    await outcome(phone, 'expired').waitFor();
  });

  journey('the same phone may open its link again, and after the answer the link leads nowhere', async (stage) => {
    await makeFollower('xiaoming');
    const computer = await open(stage);
    const phone = await stage.wechat();
    await scanIntoChat(phone, demo.sandbox, await codeText(computer), 'xiaoming');
    const link = await chatLink(phone);
    await openChatLink(phone);
    await phone.goto(link);
    await phone.locator('form#approve').waitFor({ state: 'attached' });
    await approve(phone, await number(computer));
    await signedIn(computer).waitFor();
    await phone.goto(link);
    await outcome(phone, 'expired').waitFor();
  });

  journey('SEC-07 a messenger that looks at the link first changes nothing', async (stage) => {
    await makeFollower('xiaoming');
    const computer = await open(stage);
    const phone = await stage.wechat();
    await scanIntoChat(phone, demo.sandbox, await codeText(computer), 'xiaoming');
    const link = await chatLink(phone);
    for (const method of ['GET', 'HEAD', 'GET']) assert.equal((await fetch(link, { method })).status, 200);
    await openChatLink(phone);
    await approve(phone, await number(computer));
    await signedIn(computer).waitFor();
  });

  journey('SEC-06 the link on a second phone: whoever opened it first keeps it', async (stage) => {
    await makeFollower('xiaoming');
    const computer = await open(stage);
    const [phone, thief] = [await stage.wechat(), await stage.wechat()];
    await scanIntoChat(phone, demo.sandbox, await codeText(computer), 'xiaoming');
    const link = await chatLink(phone);
    await openChatLink(phone);
    await thief.goto(link);
    await outcome(thief, 'taken').waitFor();
    await approve(phone, await number(computer));
    await signedIn(computer).waitFor();
  });

  journey('SEC-06 a second person who scans is told so, and the first goes on', async (stage) => {
    await makeFollower('xiaoming');
    await makeFollower('xiaohong');
    const computer = await open(stage);
    const text = await codeText(computer);
    const [first, second] = [await stage.wechat(), await stage.wechat()];
    await scanIntoChat(first, demo.sandbox, text, 'xiaoming');
    await status(computer, 'scanned').waitFor();
    await scanIntoChat(second, demo.sandbox, text, 'xiaohong');
    await lastBubble(second).filter({ hasText: '另一部手机' }).waitFor();
    assert.equal(await lastBubble(second).locator('a').count(), 0);
    await openChatLink(first);
    await approve(first, await number(computer));
    await signedIn(computer).waitFor();
    assert.equal(await claim(computer, 'wechat_openid'), (await wechat.person('xiaoming')).openids[OFFICIAL]);
  });

  /** WeChat tells its events apart by the second (fact sheet §4.7): a second scan within one is the first again. */
  const nextSecond = (from = Math.floor(Date.now() / 1000)) =>
    until('the next second', () => Math.floor(Date.now() / 1000) > from);

  journey('a message that got lost is sent again: the fresh link works, and the first is worth nothing', async (stage) => {
    await makeFollower('ada');
    const computer = await open(stage);
    const phone = await stage.wechat();
    const text = await codeText(computer);
    await scanIntoChat(phone, demo.sandbox, text, 'ada');
    const first = await chatLink(phone);
    await nextSecond();
    await scanAgain(phone, demo.sandbox, text);
    assert.notEqual(await chatLink(phone), first);
    const other = await stage.wechat();
    await other.goto(first);
    await outcome(other, 'taken').waitFor();
    await openChatLink(phone);
    await approve(phone, await number(computer));
    await signedIn(computer).waitFor();
  });

  journey('whoever scans again after opening the link is led back to it', async (stage) => {
    await makeFollower('ada');
    const computer = await open(stage);
    const phone = await stage.wechat();
    const text = await codeText(computer);
    await scanIntoChat(phone, demo.sandbox, text, 'ada');
    const link = await chatLink(phone);
    await openChatLink(phone);
    await nextSecond();
    await scanAgain(phone, demo.sandbox, text);
    await lastBubble(phone).filter({ hasText: '已经扫过' }).waitFor();
    await phone.goto(link);
    await phone.locator('form#approve').waitFor({ state: 'attached' });
    await approve(phone, await number(computer));
    await signedIn(computer).waitFor();
  });

  journey('without scripts the code is shown, and buttons lead on at both ends', async (stage) => {
    await makeFollower('xiaoming');
    const computer = await stage.desktop({ javaScriptEnabled: false });
    await signInAtSample(computer, demo, 'wechat-scan');
    const phone = await stage.wechat({ javaScriptEnabled: false });
    await scanIntoChat(phone, demo.sandbox, await stage.camera(computer.locator('[data-qr]')), 'xiaoming');
    await lastBubble(phone).locator('a').first().click();
    await phone.locator('form[data-onward] button').click();
    await approve(phone, await number(computer));
    await outcome(phone, 'approved').waitFor();
    await computer.locator('.no-script form[data-form="redeem"] button').click();
    await signedIn(computer).waitFor();
  });
});

describe('on a server whose codes live for seconds', () => {
  let house;
  before(async () => {
    house = await startHouse({
      channels: (sandbox) => parametric(sandbox) + officialLink(sandbox, { order: 9 }),
      settings: '[login]\nscan_seconds = 2\nconfirm_seconds = 2\n',
    });
    await tellWhereEventsGo(house);
    for (const person of ['xiaoming', 'ada']) {
      await house.wechat.call(`/chats/${OFFICIAL}/${person}`, { do: 'set', follows: true });
    }
  });
  after(() => house?.stop());

  /** Waits until the page shows another code than `old`. */
  const renewed = (page, old) => until('a fresh code', async () => {
    const now = await codeText(page);
    return now !== old && now;
  });
  const scanByScript = (url, person) => house.wechat.call('/scan', { url, person });

  journey('SEC-05 an expired code is replaced by itself; scanning the old one tells the person so', async (stage) => {
    const computer = await signIn(await stage.desktop(), house.site);
    const first = await codeText(computer);
    await renewed(computer, first);
    const told = await scanByScript(first, 'ada').then(({ messages }) => messages.at(-1)?.text, (error) => error.message);
    assert.match(told, /过期|expired/);
    assert.equal(await computer.locator('#claims').count(), 0);
  });

  journey('SEC-05 a link that nobody opens in time leads nowhere, and the page goes on to a fresh code', async (stage) => {
    const computer = await signIn(await stage.desktop(), house.site);
    const { link, text } = await until('a scan in time', async () => {
      const now = await codeText(computer);
      const { messages } = await scanByScript(now, 'xiaoming').catch(() => ({ messages: [] }));
      const [found] = messages.at(-1)?.links ?? [];
      return found && { link: found, text: now };
    });
    await renewed(computer, text);
    const phone = await stage.wechat();
    await phone.goto(link);
    await outcome(phone, 'expired').waitFor();
    assert.equal(await computer.locator('#claims').count(), 0);
  });

  test('SEC-31 every ticket has a code of its own, and a reload of the page asks WeChat for none', { timeout: 60_000 }, async () => {
    // Counted by the sandbox: one call per ticket, whatever the number of looks.
    const count = async () => (await house.wechat.call('/calls')).calls
      .find(({ path }) => path.includes('qrcode/create'))?.count ?? 0;
    const before = await count();
    const computer = await startComputer(house);
    const shown = computer.scanUrl;
    await computer.look();
    assert.equal(computer.scanUrl, shown);
    assert.equal(await count(), before + 1);
    const other = await startComputer(house);
    assert.notEqual(other.scanUrl, shown);
  });
});
