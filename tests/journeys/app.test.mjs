/**
 * The operator's own app: `examples/own-app`, whose page stands for the app and whose back end vouches for its people.
 * Our QR, its camera; its screen, our rules.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { startOwnApp } from '../../examples/own-app/server.mjs';
import { journeys, number, otherNumber, scanUrl, signIn, status } from '../support/browser.mjs';
import { officialLink, ownApp } from '../support/channels.mjs';
import { startComputer } from '../support/computer.mjs';
import { claims, startHouse } from '../support/house.mjs';
import { freePort } from '../support/processes.mjs';
import { until } from '../support/wait.mjs';

const journey = journeys();

/** A house with an app, and WeChat beside it. */
function inHouse(settings) {
  const rooms = {};
  before(async () => {
    const port = await freePort();
    const issuer = `http://127.0.0.1:${port}`;
    rooms.house = await startHouse({
      channels: (sandbox) => ownApp(issuer, { order: 1 }) + officialLink(sandbox, { order: 2 }), settings,
    });
    rooms.app = await startOwnApp({ mashang: rooms.house.server.url, port });
  });
  after(async () => {
    await rooms.app?.stop();
    await rooms.house?.stop();
  });
  return rooms;
}

/** The app on a phone, in which `person` is signed in. */
async function openApp(phone, app, person) {
  await phone.goto(app.url);
  await phone.locator(`button[data-person="${person}"]`).click();
  await phone.locator('#scan').waitFor();
}

/** Scans in the app, by pasting; ends when the server has answered. */
async function scan(phone, link) {
  await phone.locator('#link').fill(link);
  const answered = phone.waitForResponse('**/phone/*/scan');
  await phone.locator('#paste button').click();
  await (await answered).finished();
}

async function answer(phone, digits) {
  await phone.locator('#number').fill(digits);
  await phone.locator('#approve').click();
}

const said = (phone, text) => phone.locator('#message', { hasText: text });

describe('own app', () => {
  const rooms = inHouse();
  const open = async (stage) => signIn(await stage.desktop(), rooms.house.site);
  const appOf = async (stage, person) => {
    const phone = await stage.phone();
    await openApp(phone, rooms.app, person);
    return phone;
  };

  journey('a person of the app scans our QR in it, sees what they sign in to, types the number, and is signed in', async (stage) => {
    const computer = await open(stage);
    const phone = await appOf(stage, 'ming');
    await scan(phone, await stage.camera(computer.locator('[data-qr]')));
    await phone.locator('#confirm').waitFor();
    assert.equal(await phone.locator('#site').innerText(), '测试网站 Test site');
    assert.equal(await phone.locator('#host').innerText(), new URL(rooms.house.site.url).host);
    await status(computer, 'scanned').waitFor();
    await answer(phone, await number(computer));
    await said(phone, '已登录').waitFor();
    const told = await claims(computer);
    assert.equal(told.nickname ?? told.name, '小明');
    assert.deepEqual(told.amr, ['app']);
    assert.equal(told.wechat_openid, undefined);
  });

  journey('the same person is the same user the next time, and another person is another', async (stage) => {
    const subs = [];
    for (const person of ['ming', 'hong', 'ming']) {
      const computer = await open(stage);
      const phone = await appOf(stage, person);
      await scan(phone, await scanUrl(computer));
      await answer(phone, await number(computer));
      subs.push((await claims(computer)).sub);
    }
    assert.equal(subs[0], subs[2]);
    assert.notEqual(subs[0], subs[1]);
  });

  journey('denying in the app says so on the computer', async (stage) => {
    const computer = await open(stage);
    const phone = await appOf(stage, 'ming');
    await scan(phone, await scanUrl(computer));
    await phone.locator('#deny').click();
    await said(phone, '已拒绝').waitFor();
    await status(computer, 'denied').waitFor();
  });

  journey('without all digits there is no yes, and an answer that did not get through can be given again', async (stage) => {
    const computer = await open(stage);
    const phone = await appOf(stage, 'ming');
    await scan(phone, await scanUrl(computer));
    const yes = phone.locator('#approve');
    assert.equal(await yes.isDisabled(), true);
    const digits = await number(computer);
    await phone.locator('#number').fill(digits.slice(1));
    assert.equal(await yes.isDisabled(), true);
    const lost = (route) => route.abort();
    const misread = (route) => route.fulfill({ status: 400, json: { error: 'bad_request', message: 'not as documented' } });
    const down = (route) => route.fulfill({ status: 502, json: { error: 'network', message: 'fetch failed' } });
    for (const fate of [lost, misread, down]) {
      await phone.route('**/phone/*/approve', fate, { times: 1 });
      await phone.locator('#message').evaluate((message) => { message.textContent = ''; });
      await answer(phone, digits);
      await said(phone, '请再试一次').waitFor();
      assert.equal(await phone.locator('#confirm').isVisible(), true);
    }
    await yes.click();
    await said(phone, '已登录').waitFor();
    assert.equal((await claims(computer)).nickname, '小明');
  });

  journey('SEC-09 a wrong number ends the attempt', async (stage) => {
    const computer = await open(stage);
    const phone = await appOf(stage, 'ming');
    await scan(phone, await scanUrl(computer));
    await answer(phone, otherNumber(await number(computer)));
    await said(phone, '数字不对').waitFor();
    await status(computer, 'wrong_number').waitFor();
    await scan(phone, await scanUrl(computer));
    await until('a refusal', () => phone.locator('#message').innerText());
    assert.equal(await phone.locator('#confirm').isVisible(), false, 'there is no second try');
  });

  journey('SEC-06 a second phone is told that somebody else scanned, and the first goes on', async (stage) => {
    const computer = await open(stage);
    const [first, second] = [await appOf(stage, 'ming'), await appOf(stage, 'hong')];
    await scan(first, await scanUrl(computer));
    await status(computer, 'scanned').waitFor();
    await scan(second, await scanUrl(computer));
    await until('a refusal', () => second.locator('#message').innerText());
    assert.equal(await second.locator('#confirm').isVisible(), false);
    await answer(first, await number(computer));
    assert.equal((await claims(computer)).nickname, '小明');
  });

  test('SEC-36 a token of another issuer, for another audience, unsigned or expired signs nobody in', async () => {
    const { house, app } = rooms;
    const computer = await startComputer(house);
    const code = computer.scanUrl.split('/').at(-1);
    const scanWith = async (token) => {
      const told = await fetch(`${house.server.url}/api/phone/myapp/${code}/scan`, {
        method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: '{}',
      });
      return { status: told.status, error: (await told.json()).error };
    };
    const now = Math.floor(Date.now() / 1000);
    const good = { iss: app.url, aud: 'mashang', sub: 'ming', iat: now, exp: now + 120 };
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const refused = { status: 401, error: 'unauthorized' };
    for (const token of [
      app.issuer.sign({ ...good, iss: 'http://127.0.0.1:1' }),
      app.issuer.sign({ ...good, aud: 'another' }),
      app.issuer.sign({ ...good, exp: now - 600 }),
      app.issuer.sign({ ...good, sub: '' }),
      `${part({ alg: 'none' })}.${part(good)}.`,
      `${app.issuer.sign(good).slice(0, -8)}AAAAAAAA`,
    ]) assert.deepEqual(await scanWith(token), refused);
    assert.equal((await computer.status()).status, 'waiting');
    assert.equal((await scanWith(app.issuer.sign(good))).status, 200);
  });
});

describe('own app, on a server whose codes live for seconds', () => {
  const rooms = inHouse('[login]\nscan_seconds = 2\nconfirm_seconds = 2\n');

  journey('SEC-05 an expired code, and an answer after the deadline, count for nothing', async (stage) => {
    const computer = await signIn(await stage.desktop(), rooms.house.site);
    const phone = await stage.phone();
    await openApp(phone, rooms.app, 'ming');
    const first = await scanUrl(computer);
    const next = (old) => until('a fresh code', async () => {
      const now = await scanUrl(computer);
      return now !== old && now;
    });
    await next(first);
    await scan(phone, first);
    await until('a refusal', () => phone.locator('#message').innerText());
    assert.equal(await phone.locator('#confirm').isVisible(), false);

    const scanned = await until('a scan in time', async () => {
      const link = await scanUrl(computer);
      await scan(phone, link);
      return await phone.locator('#confirm').isVisible() && link;
    });
    await next(scanned);
    await answer(phone, '00');
    await phone.locator('#confirm').waitFor({ state: 'hidden' });
    assert.equal(await said(phone, '已登录').count(), 0);
    assert.equal(await computer.locator('#claims').count(), 0);
  });
});
