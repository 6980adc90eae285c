/** Codes that nobody scans in time, on a server whose codes live for two seconds. */

import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { journeys, number, outcome, scanUrl, signIn, status } from '../support/browser.mjs';
import { claims, startHouse } from '../support/house.mjs';
import { until } from '../support/wait.mjs';

const journey = journeys();
let house;
before(async () => { house = await startHouse({ settings: '[login]\nscan_seconds = 2\nconfirm_seconds = 4\n' }); });
after(() => house?.stop());

/** Waits until the page shows another code than `old`. */
const renewed = (page, old) => until('a fresh code', async () => {
  const now = await scanUrl(page);
  return now !== old && now;
});

/** What the page believes about being looked at; a browser window that is minimised, in other words. */
async function hide(page, hidden) {
  await page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { configurable: true, value });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
}

journey('an expired code is replaced by itself, and the new one signs in', async (stage) => {
  const computer = await signIn(await stage.desktop(), house.site);
  const first = await scanUrl(computer);
  const old = await number(computer);
  const second = await renewed(computer, first);
  await renewed(computer, second);
  assert.equal(new URL(computer.url()).pathname.split('/')[3], (await scanUrl(computer)).split('/').at(-1), 'a reload shows the same');
  // A scan takes longer than two seconds at times; whoever is late simply scans the next one.
  const phone = house.wechat.phone('xiaoming');
  await until('a scan in time', async () => (await phone.scan(await scanUrl(computer))).url.endsWith('/confirm'));
  assert.equal(await phone.approve(await number(computer)), 'approved');
  assert.equal((await claims(computer)).name, '小明');
  assert.match(old, /^\d\d$/);
});

journey('scanning an expired code tells the phone so', async (stage) => {
  const computer = await signIn(await stage.desktop(), house.site);
  const first = await scanUrl(computer);
  await renewed(computer, first);
  const phone = await stage.wechat();
  await phone.goto(first);
  await outcome(phone, 'expired').waitFor();
});

journey('SEC-05 an answer after the deadline counts for nothing', async (stage) => {
  const computer = await signIn(await stage.desktop(), house.site);
  const phone = house.wechat.phone('ada');
  const scanned = await until('a scan in time', async () => {
    const url = await scanUrl(computer);
    return (await phone.scan(url)).url.endsWith('/confirm') && url;
  });
  const digits = await number(computer);
  await renewed(computer, scanned);
  assert.equal(await phone.approve(digits), 'expired');
  assert.equal(await computer.locator('#claims').count(), 0);
});

journey('one press gives a fresh code before the old one is over, and the old one is dead', async (stage) => {
  const computer = await signIn(await stage.desktop(), house.site);
  const first = await scanUrl(computer);
  await computer.locator('.while-waiting form[data-form="refresh"] button').click();
  await renewed(computer, first);
  await status(computer, 'waiting').waitFor();
  const phone = await stage.wechat();
  await phone.goto(first);
  await outcome(phone, 'expired').waitFor();
});

journey('a hidden page lets its code expire, one press renews it, and coming back renews it too', async (stage) => {
  const computer = await signIn(await stage.desktop(), house.site);
  await hide(computer, true);
  await status(computer, 'expired').waitFor();
  const first = await scanUrl(computer);
  await computer.locator('.when-expired button').click();
  const second = await renewed(computer, first);
  await status(computer, 'expired').waitFor();
  await hide(computer, false);
  await renewed(computer, second);
  await status(computer, 'waiting').waitFor();
});

journey('without scripts an expired code is replaced by one press', async (stage) => {
  const computer = await stage.desktop({ javaScriptEnabled: false });
  await signIn(computer, house.site);
  const first = await scanUrl(computer);
  await until('the page says so after a reload', async () => {
    await computer.reload();
    return await status(computer, 'expired').count() === 1;
  });
  await computer.locator('.when-expired button').click();
  await status(computer, 'waiting').waitFor();
  assert.notEqual(await scanUrl(computer), first);
});

journey('one press gives a fresh WeChat frame', async (stage) => {
  const computer = await signIn(await stage.desktop(), house.site);
  await computer.locator('nav.tabs a[href*="wechat-web"]').click();
  const frame = computer.locator('iframe[data-frame]');
  const first = await frame.getAttribute('src');
  await computer.locator('form[data-form="refresh"] button').locator('visible=true').first().click();
  await until('a fresh frame', async () => await frame.getAttribute('src') !== first);
  await computer.frameLocator('iframe[data-frame]').locator('.js_qrcode_img').waitFor();
});
