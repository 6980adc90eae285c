/** Who runs it at the foot of the pages, out of the way of the QR; and the box before a code is sent. */

import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { journeys, status } from '../support/browser.mjs';
import { linkAndPage } from '../support/channels.mjs';
import { startHouse } from '../support/house.mjs';
import { LEGAL, SMS } from '../support/legal.mjs';

const journey = journeys();
let house;
before(async () => {
  house = await startHouse({ settings: LEGAL, channels: (box) => linkAndPage(box) + SMS });
});
after(() => house?.stop());

for (const viewport of [{ width: 1280, height: 720 }, { width: 360, height: 640 }]) {
  journey(`the foot leaves the whole QR in sight at ${viewport.width} × ${viewport.height}`, async (stage) => {
    const page = await stage.desktop({ viewport });
    await page.goto(`${house.site.url}/login`);
    await status(page, 'waiting').waitFor();
    const code = await page.locator('[data-qr]').first().boundingBox();
    assert.ok(code.y + code.height <= viewport.height, `the QR ends at ${code.y + code.height}`);
    const [card, foot] = [await page.locator('main').boundingBox(), await page.locator('.foot').boundingBox()];
    assert.ok(foot.y >= card.y + card.height, 'below the card');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(wide, viewport.width, 'nothing to scroll sideways');
  });
}

journey('a code is asked for by whoever ticked the box, and a policy opens beside the page', async (stage) => {
  const page = await stage.phone();
  await page.goto(`${house.site.url}/login?login_hint=sms`);
  await page.locator('#to').fill('13800138000');
  await page.locator('.way button.button').click();
  assert.ok(await page.locator('#agreed').evaluate((box) => box.validity.valueMissing && !box.checked), 'the browser asks for it');
  await page.locator('#agreed').evaluate((box) => { box.form.noValidate = true; });
  await page.locator('.way button.button').click();
  await page.locator('#agreed-complaint').waitFor();
  assert.equal(await page.locator('#to').inputValue(), '13800138000');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'agreed');
  assert.equal(await page.locator('label[for="agreed"] a').first().getAttribute('target'), '_blank');
  await page.locator('label[for="agreed"]').click({ position: { x: 4, y: 8 } });
  await page.locator('.way button.button').click();
  await page.locator('#code').waitFor();
});
