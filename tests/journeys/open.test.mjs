/** WeChat's own QR page: in a frame of another site inside our page, and by redirect. */

import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { journeys, signIn, status } from '../support/browser.mjs';
import { claims, startHouse } from '../support/house.mjs';
import { until } from '../support/wait.mjs';

const journey = journeys();
let house;
before(async () => { house = await startHouse(); });
after(() => house?.stop());

/** On the login page, WeChat's frame; returns what is inside. */
async function inFrame(page) {
  await signIn(page, house.site);
  await page.locator('nav.tabs a[href*="wechat-web"]').click();
  const inside = page.frameLocator('iframe[data-frame]');
  await inside.locator('.js_qrcode_img').waitFor();
  return inside;
}

/** On WeChat's page in the whole window. */
async function byRedirect(page) {
  await inFrame(page);
  await page.locator('a[data-link="frame"]').click();
  await page.waitForURL(`${house.sandbox.url}/**`, { waitUntil: 'commit' });
  return page;
}

/** The id in WeChat's QR, as its page's picture names it. */
const uuid = async (inside) => (await inside.locator('.js_qrcode_img').getAttribute('src')).split('/').at(-1);

const ways = { 'in the embedded frame': inFrame, 'by redirect': byRedirect };
for (const [way, open] of Object.entries(ways)) {
  journey(`${way}: the phone's camera reads WeChat's QR, the person allows, and is signed in`, async (stage) => {
    const computer = await stage.desktop();
    const phone = await stage.phone();
    const inside = await open(computer);
    await phone.goto(await stage.camera(inside.locator('.js_qrcode_img')));
    await phone.locator('button[name="person"][value="xiaohong"]').click();
    await inside.locator('.js_wx_after_scan').waitFor();
    await phone.locator('button[name="answer"][value="allow"]').click();
    const told = await claims(computer);
    const person = await house.wechat.person('xiaohong');
    assert.equal(told.name, '小红');
    assert.equal(told.wechat_openid, person.openids[house.sandbox.website.appid]);
    assert.deepEqual(told.amr, ['wechat-open']);
  });

  journey(`${way}: denied on the phone, WeChat's page says so, and a second scan signs in`, async (stage) => {
    const computer = await stage.desktop();
    const inside = await open(computer);
    const tap = { uuid: await uuid(inside), person: 'ada' };
    await house.wechat.call('/scan', tap);
    await house.wechat.call('/deny', tap);
    await inside.locator('.js_wx_after_cancel').waitFor();
    assert.equal(await computer.locator('#claims').count(), 0);
    await house.wechat.call('/scan', tap);
    await house.wechat.call('/allow', tap);
    assert.equal((await claims(computer)).name, 'Ada');
  });

  journey(`${way}: WeChat's QR expires, its page draws another, and that one signs in`, async (stage) => {
    const computer = await stage.desktop();
    const inside = await open(computer);
    const first = await uuid(inside);
    await house.wechat.call('/reset', {});
    const second = await until('WeChat draws a fresh QR', async () => {
      const now = await uuid(inside);
      return now !== first && now;
    });
    const tap = { uuid: second, person: 'xiaoming' };
    await house.wechat.call('/scan', tap);
    await house.wechat.call('/allow', tap);
    assert.equal((await claims(computer)).name, '小明');
  });
}

journey('the same person through both apps is one user, by unionid', async (stage) => {
  const first = await stage.desktop();
  const inside = await inFrame(first);
  const tap = { uuid: await uuid(inside), person: 'emoji' };
  await house.wechat.call('/scan', tap);
  await house.wechat.call('/allow', tap);
  const web = await claims(first);

  const second = await signIn(await stage.desktop(), house.site);
  const phone = house.wechat.phone('emoji');
  await phone.scan(await second.locator('[data-link="sandbox"]').first().evaluate((link) => new URL(link.href).searchParams.get('open')));
  await phone.approve((await second.locator('[data-text="number"]').innerText()).trim());
  const official = await claims(second);
  assert.equal(official.sub, web.sub);
  assert.notEqual(official.wechat_openid, web.wechat_openid, 'openids belong to one app each');
});

journey('denying on the older WeChat pages, which then return without a code, leads back to the login page', async (stage) => {
  const computer = await byRedirect(await stage.desktop());
  await house.wechat.fault('deny_redirect', { remaining: 1 });
  const tap = { uuid: await uuid(computer), person: 'ada' };
  await house.wechat.call('/scan', tap);
  await house.wechat.call('/deny', tap);
  await computer.waitForURL(`${house.server.url}/login/**`);
  await status(computer, 'waiting').waitFor();
});

journey('SEC-25 a callback that another browser opens signs nobody in, there or here', async (stage) => {
  const computer = await byRedirect(await stage.desktop());
  const stranger = await stage.desktop();
  const tap = { uuid: await uuid(computer), person: 'xiaoming' };
  await computer.context().setOffline(true);
  await house.wechat.call('/scan', tap);
  const { redirect } = await house.wechat.call('/allow', tap);
  const answer = await stranger.goto(redirect);
  assert.equal(answer.status(), 404);
  assert.equal(await stranger.locator('#claims').count(), 0);
  assert.equal(new URL(stranger.url()).origin, house.server.url);
});
