/**
 * The uni-app project, with the packed SDK, built for H5 in both modes of its router and driven in Chromium: the call of the
 * tutorials, `const { code } = await …`, with the back end exchanging the code.
 */

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { approve, deny, journeys, openInWeChat, outcome, scan, status } from '../../../tests/support/browser.mjs';
import { officialLink } from '../../../tests/support/channels.mjs';
import { startHouse } from '../../../tests/support/house.mjs';
import { copyWithPackedSdk, refusesOtherIssuers, startBackEnd, statusOf } from '../../../tests/support/packed.mjs';

const journey = journeys();
/** A `uni-button` is no button to Playwright, which would click it while the page is still asking who is there. */
const SIGN_IN = '#sign-in:not([disabled])';

describe('examples/uniapp-h5', () => {
  let house;
  let example;
  before(async () => {
    example = await copyWithPackedSdk('uniapp-h5');
    house = await startHouse({ channels: officialLink });
  }, { timeout: 600_000 });
  after(async () => {
    await house?.stop();
    await example?.remove();
  });

  for (const mode of ['hash', 'history']) {
    describe(`${mode} routing`, () => {
      let site;
      before(async () => {
        await setRouter(example.folder, mode);
        await example.run('npx', ['uni', 'build']);
        site = await startBackEnd(example, house, { id: `uniapp-${mode}`, callback: '/' });
      }, { timeout: 400_000 });
      after(() => site?.stop());

      const panel = (page, state) => page.locator(`.card[data-status="${state}"]`);
      const link = async (page) => new URL(await page.locator('.card a.sandbox').getAttribute('href')).searchParams.get('open');

      async function asked(page) {
        await page.goto(site.url);
        await page.locator(SIGN_IN).click();
        await panel(page, 'waiting').waitFor();
        return page;
      }

      journey(`${mode}: one call gives a code, and the back end makes a person of it`, async (stage) => {
        const computer = await asked(await stage.desktop());
        const phone = await stage.wechat();
        await scan(phone, await link(computer), 'xiaoming');
        await approve(phone, (await computer.locator('.card .number b').innerText()).trim());
        await computer.locator('#hello').waitFor();
        assert.match(await computer.locator('#hello').innerText(), /小明/);
        assert.doesNotMatch(computer.url(), /code=/);
      });

      test(`${mode}: a request line that is no address is refused, and the back end goes on`, async () => {
        for (const line of ['GET //', 'POST //', 'GET http://[']) assert.equal(await statusOf(site.url, line), 400, line);
        assert.equal(await statusOf(site.url, 'GET /api/me'), 200);
      });

      test(`${mode}: an answer of another issuer is refused`, () => refusesOtherIssuers(site.url, { begin: 'begin', finish: 'finish' }));

      journey(`${mode}: closing the panel fails the call as uni.login would, and the button works again`, async (stage) => {
        const computer = await asked(await stage.desktop());
        await computer.keyboard.press('Escape');
        await computer.locator('#trouble').waitFor();
        assert.match(await computer.locator('#trouble').innerText(), /^login:fail /);
        await computer.locator(SIGN_IN).click();
        await panel(computer, 'waiting').waitFor();
      });

      journey(`${mode}: a no on the phone is shown, and nobody is signed in`, async (stage) => {
        const computer = await asked(await stage.desktop());
        const phone = await stage.wechat();
        await scan(phone, await link(computer), 'xiaoming');
        await deny(phone);
        await outcome(phone, 'denied').waitFor();
        await panel(computer, 'denied').waitFor();
        assert.equal(await computer.locator('#hello').count(), 0);
      });

      journey(`${mode}: inside WeChat the page leaves for the login page, and comes back signed in with a clean address`, async (stage) => {
        const phone = await stage.wechat();
        await phone.goto(site.url);
        await phone.locator(SIGN_IN).click();
        await status(phone, 'waiting').waitFor();
        const onward = await phone.locator('[data-link="onward"]').getAttribute('href');
        await openInWeChat(phone, new URL(onward, phone.url()).href, 'xiaoming');
        await phone.locator('button[name="answer"][value="allow"]').click();
        await phone.locator('form#approve').waitFor({ state: 'attached' });
        await approve(phone);
        await phone.locator('#hello').waitFor();
        assert.match(await phone.locator('#hello').innerText(), /小明/);
        assert.doesNotMatch(phone.url(), /code=|state=/);
      });
    });
  }
});

async function setRouter(folder, mode) {
  const path = join(folder, 'src', 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  manifest.h5.router.mode = mode;
  await writeFile(path, JSON.stringify(manifest, null, 2));
}
