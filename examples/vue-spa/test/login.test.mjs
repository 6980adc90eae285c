/**
 * The back office, with the packed SDK, in Chromium: scan and password side by side, and what must not happen.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { approve, deny, journeys, outcome, scan } from '../../../tests/support/browser.mjs';
import { officialLink } from '../../../tests/support/channels.mjs';
import { startHouse } from '../../../tests/support/house.mjs';
import { copyWithPackedSdk, refusesOtherIssuers, startBackEnd, statusOf } from '../../../tests/support/packed.mjs';

const journey = journeys();

describe('examples/vue-spa', () => {
  let house;
  let example;
  let site;
  before(async () => {
    example = await copyWithPackedSdk('vue-spa');
    await example.run('npx', ['vite', 'build']);
    house = await startHouse({ channels: officialLink });
    site = await startBackEnd(example, house, { id: 'vue-spa' });
  }, { timeout: 400_000 });
  after(async () => {
    await site?.stop();
    await house?.stop();
    await example?.remove();
  });

  /** The panel of the SDK; Playwright looks into open shadow roots. */
  const panel = (page, state) => page.locator(`.card[data-status${state ? `="${state}"` : ''}]`);
  const digits = async (page) => (await page.locator('.card .number b').innerText()).trim();
  const link = async (page) => new URL(await page.locator('.card a.sandbox').getAttribute('href')).searchParams.get('open');

  async function waiting(page) {
    await page.goto(site.url);
    await panel(page, 'waiting').waitFor();
    return page;
  }

  journey('a scan signs in; the page never leaves, and its address never holds a code', async (stage) => {
    const computer = await waiting(await stage.desktop());
    const phone = await stage.wechat();
    await scan(phone, await link(computer), 'xiaoming');
    await panel(computer, 'scanned').waitFor();
    await approve(phone, await digits(computer));
    await computer.locator('#name').waitFor();
    assert.equal(await computer.locator('#name').innerText(), '小明');
    assert.equal(computer.url(), `${site.url}/`);
    await computer.reload();
    await computer.locator('#name').waitFor();
    await computer.getByRole('button', { name: '退出' }).click();
    await panel(computer, 'waiting').waitFor();
  });

  journey('under the password tab nothing is asked any more, and the scan tab comes back with a fresh code', async (stage) => {
    const computer = await stage.desktop();
    await computer.clock.install();
    await waiting(computer);
    const first = await link(computer);
    const asked = [];
    computer.on('request', (request) => { if (request.url().startsWith(house.server.url)) asked.push(request.url()); });
    await computer.getByRole('tab', { name: '密码登录' }).click();
    await computer.locator('input[name="password"]').waitFor();
    asked.length = 0;
    await computer.clock.runFor('10:00'); // every timer that was left behind would ring
    await computer.locator('input[name="name"]').fill('admin');
    await computer.locator('input[name="password"]').fill('wrong');
    await computer.getByRole('button', { name: '登录', exact: true }).click();
    await computer.getByRole('alert').waitFor();
    assert.deepEqual(asked, []);
    await computer.getByRole('tab', { name: '扫码登录' }).click();
    await panel(computer, 'waiting').waitFor();
    assert.notEqual(await link(computer), first);
    await computer.getByRole('tab', { name: '密码登录' }).click();
    await computer.locator('input[name="name"]').fill('admin');
    await computer.locator('input[name="password"]').fill('correct horse battery staple');
    await computer.getByRole('button', { name: '登录', exact: true }).click();
    assert.equal(await computer.locator('#name').innerText(), '管理员');
  });

  journey('whoever says no on the phone is asked again for, by a button', async (stage) => {
    const computer = await waiting(await stage.desktop());
    const phone = await stage.wechat();
    await scan(phone, await link(computer), 'xiaoming');
    await deny(phone);
    await outcome(phone, 'denied').waitFor();
    await panel(computer, 'denied').waitFor();
    await panel(computer).getByRole('button').first().click();
    await panel(computer, 'waiting').waitFor();
  });

  journey('inside WeChat there is no QR: a button leads to the login page, and back signed in with a clean address', async (stage) => {
    const phone = await stage.wechat();
    await phone.goto(site.url);
    await phone.getByRole('button', { name: '登录', exact: true }).click();
    await phone.locator('a[data-link="onward"]').click();
    await phone.locator('button[name="person"][value="xiaoming"]').click();
    await phone.locator('button[name="answer"][value="allow"]').click();
    await approve(phone);
    await phone.locator('#name').waitFor();
    assert.equal(await phone.locator('#name').innerText(), '小明');
    assert.equal(phone.url(), `${site.url}/callback`);
  });

  journey('two tabs of one browser do not disturb each other', async (stage) => {
    const one = await waiting(await stage.desktop());
    const other = await one.context().newPage();
    await waiting(other);
    const phone = await stage.wechat();
    await scan(phone, await link(one), 'xiaoming');
    await approve(phone, await digits(one));
    await one.locator('#name').waitFor();
    assert.equal(await panel(other, 'waiting').count(), 1);
  });

  test('a request line that is no address is refused, and the back end goes on', async () => {
    for (const line of ['GET //', 'POST //', 'GET http://[']) assert.equal(await statusOf(site.url, line), 400, line);
    assert.equal(await statusOf(site.url, 'GET /api/me'), 200);
  });

  journey('a code that this browser did not ask for is refused', async (stage) => {
    const computer = await waiting(await stage.desktop());
    const told = await computer.evaluate(async () => {
      const answer = await fetch('/api/scan/finish', {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ code: 'somebody-else\u2019s', state: 'stolen' }),
      });
      return answer.status;
    });
    assert.equal(told, 400);
  });

  test('an answer of another issuer is refused', () => refusesOtherIssuers(site.url, { begin: 'scan/begin', finish: 'scan/finish' }));

  journey('with Mashang down the password still signs in', async (stage) => {
    await house.server.kill();
    try {
      const computer = await stage.desktop();
      await computer.goto(site.url);
      await computer.getByRole('tab', { name: '密码登录' }).click();
      await computer.locator('input[name="name"]').fill('admin');
      await computer.locator('input[name="password"]').fill('correct horse battery staple');
      await computer.getByRole('button', { name: '登录', exact: true }).click();
      assert.equal(await computer.locator('#name').innerText(), '管理员');
    } finally {
      await house.server.restart();
    }
  });
});
