/**
 * Passkeys in a real browser: made on the person's own page, used on the login page, and on a phone whose camera opened our
 * link. Also what is done there with browsers that are signed in.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe } from 'node:test';

import { approve, deny, journeys, number, outcome, scan, scanUrl, signIn, status } from '../support/browser.mjs';
import { officialLink } from '../support/channels.mjs';
import { claims, startHouse } from '../support/house.mjs';
import { holdKeys, keyButton, keyComplaint } from '../support/keys.mjs';

const zh = JSON.parse(readFileSync(new URL('../../crates/server/locales/zh-CN.json', import.meta.url), 'utf8'));
const journey = journeys();
const PASSKEY = '[channel.passkey]\nkind = "passkey"\norder = 2\n';

let house;
before(async () => {
  house = await startHouse({ host: 'localhost', channels: (sandbox) => officialLink(sandbox) + PASSKEY });
});
after(() => house?.stop());

const notice = (page, name) => page.getByText(zh[`account.notice.${name}`]);
const says = (page, word) => keyComplaint(page).getByText(zh[`passkey.live.${word}`]).waitFor();

/** Signed in on their own page, by our link in WeChat. */
async function openAccount(stage, person, device = 'desktop') {
  const page = await stage[device]();
  await page.goto(`${house.server.url}/account?channel=wechat`);
  await status(page, 'waiting').waitFor();
  const phone = await stage.wechat();
  await scan(phone, await linkOf(page), person);
  await approve(phone, await number(page));
  await page.locator('main.account').waitFor();
  return page;
}

/** Our link, as the sandbox's link names it or the phone page shows it. */
async function linkOf(page) {
  const shown = page.locator('[data-scan-url]');
  return await shown.count() ? shown.inputValue() : scanUrl(page);
}

/** Adds a key under a name, on a device that holds keys. */
async function addKey(page, name) {
  await page.locator('[data-passkey-name]').fill(name);
  await keyButton(page).click();
  await notice(page, 'passkey_added').waitFor();
  await page.locator('[data-passkey-row]', { hasText: name }).waitFor();
}

/** A person who has made a key, with their page, their device's keys and the key itself. */
async function withKey(stage, person, name) {
  const page = await openAccount(stage, person);
  const keys = await holdKeys(page);
  await addKey(page, name);
  const [key] = await keys.all();
  return { page, keys, key };
}

/** On the login page of the website, under the passkey tab. */
async function atPasskeyTab(stage, device = 'desktop') {
  const page = await stage[device]();
  await page.goto(`${house.site.url}/login?login_hint=passkey`);
  await keyButton(page).waitFor();
  return page;
}

describe('on the login page', () => {
  journey('a key made on the account page signs its person in elsewhere, with nothing typed', async (stage) => {
    const { page, key } = await withKey(stage, 'ada', '办公室的电脑');
    assert.equal(key.isResidentCredential, true, 'it is found without a name');
    const before = await page.locator('main.account .host code').innerText();

    const elsewhere = await atPasskeyTab(stage);
    const keys = await holdKeys(elsewhere);
    await keys.give(key);
    await keyButton(elsewhere).click();
    await elsewhere.waitForURL(`${house.site.url}/**`);
    assert.equal((await claims(elsewhere)).sub, before);

    await elsewhere.goto(`${house.server.url}/account`);
    await elsewhere.locator('[data-passkey-row] .mark').waitFor();
    assert.equal(await elsewhere.locator('[data-session]').count(), 2, 'both browsers are listed');
  });

  journey('the whole way by keyboard', async (stage) => {
    const { key } = await withKey(stage, 'emoji', '键盘');
    const page = await atPasskeyTab(stage);
    await (await holdKeys(page)).give(key);
    for (let step = 0; step < 20; step += 1) {
      await page.keyboard.press('Tab');
      if (await keyButton(page).evaluate((one) => one === document.activeElement)) break;
    }
    await page.keyboard.press('Enter');
    await page.waitForURL(`${house.site.url}/**`);
    assert.ok((await claims(page)).sub);
  });

  journey('a question that was not answered says so, keeps the focus, and the other tabs go on working', async (stage) => {
    const { key } = await withKey(stage, 'ada', '锁着的');
    const page = await atPasskeyTab(stage);
    const keys = await holdKeys(page);
    await keys.give(key);
    await keys.unlock(false);
    await keyButton(page).click();
    await says(page, 'cancelled');
    assert.ok(await keyButton(page).evaluate((one) => one === document.activeElement));
    await keys.unlock(true);
    await page.locator('nav.tabs a[href="?channel=wechat"]').click();
    await status(page, 'waiting').waitFor();
    await page.locator('nav.tabs a[href="?channel=passkey"]').click();
    await keyButton(page).click();
    await page.waitForURL(`${house.site.url}/**`);
    assert.ok((await claims(page)).sub);
  });

  journey('under the tab nothing is asked of the server until the button is pressed', async (stage) => {
    const page = await signIn(await stage.desktop(), house.site);
    await page.locator('nav.tabs a[href="?channel=passkey"]').click();
    await keyButton(page).waitFor();
    const asked = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('websocket', (socket) => asked.push(socket.url()));
    await page.reload();
    await keyButton(page).waitFor();
    assert.deepEqual(asked.filter((url) => /events|status|passkey\/|redeem/.test(url)), []);
  });

  journey('a removed key is refused in words', async (stage) => {
    const { page, key } = await withKey(stage, 'ada', '丢了的手机');
    await page.locator('[data-passkey-row]', { hasText: '丢了的手机' }).getByRole('button', { name: zh['account.passkey_remove'] }).click();
    await notice(page, 'passkey_removed').waitFor();
    const elsewhere = await atPasskeyTab(stage);
    await (await holdKeys(elsewhere)).give(key);
    await keyButton(elsewhere).click();
    await says(elsewhere, 'unknown');
  });

  journey('without script the tab says that it needs one', async (stage) => {
    const page = await stage.desktop({ javaScriptEnabled: false });
    await page.goto(`${house.site.url}/login?login_hint=passkey`);
    const told = page.locator('.way noscript .notice'); // Playwright finds no words inside of noscript
    await told.waitFor();
    assert.equal((await told.innerText()).trim(), zh['passkey.no_script']);
    assert.equal(await keyButton(page).isVisible(), false);
  });
});

describe('on a phone', () => {
  /** A computer that waits, and a phone with `key` whose camera has opened the link. */
  const opened = async (stage, key) => {
    const page = await signIn(await stage.desktop(), house.site);
    const phone = await stage.phone();
    if (key) await (await holdKeys(phone)).give(key);
    await phone.goto(`${await scanUrl(page)}?via=browser`);
    return { page, phone };
  };

  journey('promise 2: scan, passkey, number, yes; and the computer is signed in', async (stage) => {
    const { page: account, key } = await withKey(stage, 'xiaohong', '小红的手机');
    const { page, phone } = await opened(stage, key);
    await keyButton(phone).click();
    await phone.locator('form#approve').waitFor({ state: 'attached' });
    await status(page, 'scanned').waitFor();
    assert.match(await phone.locator('main').innerText(), /小红/);
    await approve(phone, await number(page));
    await outcome(phone, 'approved').waitFor();
    await page.waitForURL(`${house.site.url}/**`);
    assert.equal((await claims(page)).sub, await account.locator('main.account .host code').innerText());
  });

  journey('a key and then no: nobody is signed in', async (stage) => {
    const { key } = await withKey(stage, 'ada', '反悔');
    const { page, phone } = await opened(stage, key);
    await keyButton(phone).click();
    await phone.locator('form#approve').waitFor({ state: 'attached' });
    await deny(phone);
    await outcome(phone, 'denied').waitFor();
    await status(page, 'denied').waitFor();
  });

  journey('a phone without a key says so and still names the apps', async (stage) => {
    const { page, phone } = await opened(stage);
    await (await holdKeys(phone)).unlock(false);
    await keyButton(phone).click();
    await says(phone, 'cancelled');
    await phone.getByText(zh['platform.wechat.name'], { exact: true }).first().waitFor();
    await status(page, 'waiting').waitFor();
  });

  journey('promise 2: a phone that is signed in goes on as its person, is asked, and needs no key', async (stage) => {
    const phone = await openAccount(stage, 'xiaohong', 'phone');
    const sub = await phone.locator('main.account .host code').innerText();
    const page = await signIn(await stage.desktop(), house.site);
    await phone.goto(`${await scanUrl(page)}?via=browser`);
    await phone.getByRole('button', { name: zh['open_in.continue'].replace('{name}', '小红') }).click();
    await status(page, 'scanned').waitFor();
    await approve(phone, await number(page));
    await page.waitForURL(`${house.site.url}/**`);
    assert.equal((await claims(page)).sub, sub);
  });
});

describe('my account', () => {
  journey('a device that has a key already is not given a second one', async (stage) => {
    const { page } = await withKey(stage, 'ada', '第一个');
    await keyButton(page).click();
    await says(page, 'known');
    assert.equal(await page.locator('[data-passkey-row]', { hasText: '第一个' }).count(), 1);
  });

  journey('a key gets another name, without script', async (stage) => {
    const { page } = await withKey(stage, 'ada', '旧名字');
    const row = page.locator('[data-passkey-row]', { hasText: '旧名字' });
    await row.locator('summary').click();
    await row.locator('input[name="name"]').fill('<b>新名字</b>');
    await row.locator('details button').click();
    await notice(page, 'passkey_renamed').waitFor();
    await page.locator('[data-passkey-row] bdi', { hasText: '<b>新名字</b>' }).waitFor();
  });

  journey('“this was not me” signs everybody else out and says what to do next', async (stage) => {
    const thief = await openAccount(stage, 'xiaoming', 'phone');
    const page = await openAccount(stage, 'xiaoming');
    await page.locator('[data-login]').nth(1).getByRole('button', { name: zh['account.not_me.button'] }).click();
    await page.getByRole('heading', { name: zh['account.not_me.heading'] }).waitFor();
    await thief.goto(`${house.server.url}/account`);
    await status(thief, 'waiting').waitFor();
    await page.getByRole('link', { name: zh['account.not_me.ways'] }).click();
    await page.locator('#ways').waitFor();
    assert.equal(await page.locator('[data-session]').count(), 1);
  });

  journey('one other browser is signed out, and this one stays', async (stage) => {
    const other = await openAccount(stage, 'xiaoming', 'phone');
    const page = await openAccount(stage, 'xiaoming');
    await page.locator('[data-session=""]').first().locator('form button').click();
    await notice(page, 'session_ended').waitFor();
    await other.goto(`${house.server.url}/account`);
    await status(other, 'waiting').waitFor();
    await page.reload();
    await page.locator('main.account').waitFor();
  });
});
