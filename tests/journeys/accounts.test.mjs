/**
 * Who is who: one person through every channel of one platform account, people who only look alike, and what a person
 * does on their own page.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';

import { startOwnApp } from '../../examples/own-app/server.mjs';
import { approve, journeys, number, scan, scanUrl, status } from '../support/browser.mjs';
import {
  mini, officialLink, ownApp, parametric, tellMiniProgram, tellWhereEventsGo, tellWhereNewsGo, website, wecom,
} from '../support/channels.mjs';
import { startComputer } from '../support/computer.mjs';
import { startHouse } from '../support/house.mjs';
import { location } from '../support/jar.mjs';
import { freePort, run } from '../support/processes.mjs';
import { startSite } from '../support/site.mjs';
import { signInBy, signInByApp, ways } from '../support/ways.mjs';

const zh = JSON.parse(readFileSync(new URL('../../crates/server/locales/zh-CN.json', import.meta.url), 'utf8'));
const journey = journeys();

describe('one person, many channels', () => {
  let house;
  let apps;
  before(async () => {
    const ports = [await freePort(), await freePort()];
    const issuers = ports.map((port) => `http://127.0.0.1:${port}`);
    house = await startHouse({
      channels: (sandbox) => officialLink(sandbox) + website(sandbox) + parametric(sandbox) + mini(sandbox) + wecom(sandbox)
        + issuers.map((issuer, index) => ownApp(issuer, { name: `app${index}` })).join(''),
    });
    apps = await Promise.all(ports.map((port, index) =>
      startOwnApp({ mashang: house.server.url, channel: `app${index}`, port })));
    await tellWhereEventsGo(house);
    await tellMiniProgram(house);
  });
  beforeEach(() => house.wechat.faultsOff());
  after(async () => {
    for (const app of apps ?? []) await app.stop();
    await house?.stop();
  });

  journey('SEC-40 whoever is switched off is told on their phone at the scan, and on the computer if it happens after that', async (stage) => {
    const { sub } = await signInBy(house, 'wechat', 'xiaohong');
    const switched = (how) => run(['user', how, sub, '--config', house.server.config]);
    const [computer, phone] = [await stage.desktop(), house.wechat.phone('xiaohong')];
    await computer.goto(`${house.site.url}/login?login_hint=wechat`);
    await status(computer, 'waiting').waitFor();
    await phone.scan(await scanUrl(computer));
    await switched('disable');
    await phone.approve(await number(computer));
    await computer.locator('#login h1', { hasText: zh['problem.person_disabled.heading'] }).waitFor();
    assert.match(await computer.locator('#login').innerText(), new RegExp(zh['problem.person_disabled.text']));

    const second = await startComputer(house, '?login_hint=wechat');
    await assert.rejects(house.wechat.phone('xiaohong').scan(second.scanUrl), /403|confirm/);
    assert.equal((await second.status()).status, 'waiting', 'somebody else may still scan');
    await switched('enable');
  });

  test('website, official account by link and by its own QR, and mini-program of one platform account know one user', async () => {
    const told = [];
    for (const way of ['wechat-web', 'wechat', 'wechat-mini', 'wechat-scan']) told.push(await signInBy(house, way, 'ada'));
    const [web, official, miniProgram, scanned] = told;
    assert.deepEqual(told.map(({ sub }) => sub), told.map(() => web.sub));
    assert.equal(new Set([web, official, miniProgram].map(({ wechat_openid }) => wechat_openid)).size, 3, 'an openid for each app');
    assert.equal(scanned.wechat_openid, official.wechat_openid);
    assert.equal(new Set(told.map(({ wechat_unionid }) => wechat_unionid)).size, 1);
  });

  test('whoever came without a unionid is the same user when it is told later', async () => {
    await house.wechat.fault('no_unionid');
    const first = await signInBy(house, 'wechat', 'plain');
    assert.equal(first.wechat_unionid, undefined);
    await house.wechat.faultsOff();
    const second = await signInBy(house, 'wechat', 'plain');
    assert.ok(second.wechat_unionid);
    const web = await signInBy(house, 'wechat-web', 'plain');
    assert.deepEqual([second.sub, web.sub], [first.sub, first.sub]);
  });

  test('SEC-23 without unionids the same person in two apps is two users, and stays so', async () => {
    await house.wechat.fault('no_unionid');
    const [official, web] = [await signInBy(house, 'wechat', 'emoji'), await signInBy(house, 'wechat-web', 'emoji')];
    assert.notEqual(official.sub, web.sub);
    await house.wechat.faultsOff();
    const later = [await signInBy(house, 'wechat', 'emoji'), await signInBy(house, 'wechat-web', 'emoji')];
    assert.deepEqual(later.map(({ sub }) => sub), [official.sub, web.sub], 'nobody is merged by a login');
  });

  test('SEC-23 two apps whose people have the very same name for themselves have two users', async () => {
    const subs = [];
    for (const [index, app] of apps.entries()) {
      const token = app.issuer.tokenFor('ming', '小明');
      subs.push((await signInByApp(house, `app${index}`, token)).sub, (await signInByApp(house, `app${index}`, token)).sub);
    }
    assert.equal(subs[0], subs[1]);
    assert.equal(subs[2], subs[3]);
    assert.notEqual(subs[0], subs[2]);
  });

  test('WeCom and WeChat of one person are two users until the person links them', async () => {
    const [member, person] = [await signInBy(house, 'wecom', 'xiaoming'), await signInBy(house, 'wechat', 'xiaoming')];
    assert.notEqual(member.sub, person.sub);
  });

  test('SEC-90 whoever withdraws at the service account what they had allowed loses that way, and is gone with the last one', async () => {
    const { apps: known } = await house.wechat.call('/apps');
    const official = known.find(({ kind }) => kind === 'official-account').appid;
    const tell = (person, event) => house.wechat.call('/events/deliver', { appid: official, person, event });
    const { id } = await house.wechat.call('/people', { name: '两种方式' });
    const before = await signInBy(house, 'wechat', id);
    assert.equal((await signInBy(house, 'wechat-web', id)).sub, before.sub);
    await tell(id, { kind: 'authorization_revoked', revoke: '301' });
    assert.equal((await signInBy(house, 'wechat-web', id)).sub, before.sub, 'the website app still leads there');
    const withdrawn = house.server.log().find((line) => line.includes(`${before.sub} withdrew at WeChat`));
    assert.match(withdrawn ?? '', /does not lead to them any more/);

    const { id: other } = await house.wechat.call('/people', { name: '一种方式' });
    const { sub } = await signInBy(house, 'wechat', other);
    await tell(other, { kind: 'authorization_cancelled' });
    await assert.rejects(run(['user', 'show', sub, '--config', house.server.config]), /there is no person/);
  });
});

describe('two platform accounts', () => {
  let house;
  before(async () => {
    house = await startHouse({
      channels: (sandbox) => officialLink(sandbox, { open_platform: 'one' }) + website(sandbox, { open_platform: 'other' }),
    });
  });
  after(() => house?.stop());

  test('SEC-39 a unionid of one platform account says nothing in another', async () => {
    const [official, web] = [await signInBy(house, 'wechat', 'ada'), await signInBy(house, 'wechat-web', 'ada')];
    assert.equal(official.wechat_unionid, web.wechat_unionid, 'the very same text');
    assert.notEqual(official.sub, web.sub);
  });
});

describe('my account', () => {
  let house;
  before(async () => {
    house = await startHouse({
      channels: (sandbox) => officialLink(sandbox) + website(sandbox, { open_platform: undefined }) + wecom(sandbox),
    });
  });
  after(() => house?.stop());

  const notice = (page, name) => page.getByText(zh[`account.notice.${name}`]);
  const heading = (page, label) => page.locator('[data-way] h3', { hasText: label });
  const WECOM = zh['channel.wecom'];

  /** Signed in on their own page, by our link in WeChat. */
  const openAccount = async (stage, person) => {
    const page = await stage.desktop();
    await page.goto(`${house.server.url}/account`);
    await status(page, 'waiting').waitFor();
    const phone = await stage.wechat();
    await scan(phone, await scanUrl(page), person);
    await approve(phone, await number(page));
    await page.locator('main.account').waitFor();
    return page;
  };
  const beginLink = async (page, channel) => {
    await page.locator(`form:has(input[name="channel"][value="${channel}"]) button`).click();
    await status(page, 'waiting').waitFor();
  };
  /** By our own page inside WeCom: WeCom's panel could not say that it links. */
  const linkWecom = async (stage, page, person) => {
    await beginLink(page, 'wecom');
    const phone = await stage.wecom();
    await phone.goto(await scanUrl(page));
    await phone.locator(`button[name="person"][value="${person}"]`).click();
    await approve(phone, await number(page));
    await page.waitForURL('**/account?notice=**');
  };

  journey('a person signs in to their own page, links WeCom, and is then one user through both', async (stage) => {
    const before = await signInBy(house, 'wechat', 'xiaoming');
    const page = await openAccount(stage, 'xiaoming');
    assert.match(await page.locator('main.account').innerText(), /小明/);
    const { openids } = await house.wechat.person('xiaoming');
    for (const openid of Object.values(openids)) assert.ok(!(await page.content()).includes(openid), 'no whole openid on the page');
    await linkWecom(stage, page, 'xiaoming');
    await notice(page, 'linked').waitFor();
    await heading(page, WECOM).waitFor();
    assert.equal((await signInBy(house, 'wecom', 'xiaoming')).sub, before.sub);
    assert.equal((await signInBy(house, 'wechat', 'xiaoming')).sub, before.sub);

    await linkWecom(stage, page, 'xiaoming');
    await notice(page, 'already_yours').waitFor();
    await page.locator('[data-way]', { has: page.locator('h3', { hasText: WECOM }) }).locator('form button').click();
    await notice(page, 'unlinked').waitFor();
    assert.equal(await heading(page, WECOM).count(), 0);
    assert.equal(await page.locator('[data-way] form').count(), 0, 'the last way in cannot be taken away');
    assert.notEqual((await signInBy(house, 'wecom', 'xiaoming')).sub, before.sub, 'WeCom leads elsewhere now');
    assert.equal((await signInBy(house, 'wechat', 'xiaoming')).sub, before.sub);
  });

  journey('SEC-38 what belongs to somebody else is not taken from them; the page says so, and nothing changes', async (stage) => {
    const owner = await signInBy(house, 'wecom', 'xiaoming');
    const mine = await signInBy(house, 'wechat', 'ada');
    const page = await openAccount(stage, 'ada');
    await linkWecom(stage, page, 'xiaoming');
    await notice(page, 'owned_by_other').waitFor();
    assert.equal(await heading(page, WECOM).count(), 0);
    assert.equal((await signInBy(house, 'wecom', 'xiaoming')).sub, owner.sub);
    assert.equal((await signInBy(house, 'wechat', 'ada')).sub, mine.sub);
    assert.ok(house.server.log().some((line) => line.includes(`mashang user show ${owner.sub}`)),
      'the operator is told what to do if they are one person');
  });

  journey('SEC-38 the phone says that it links, and to whose account', async (stage) => {
    const page = await openAccount(stage, 'ada');
    await beginLink(page, 'wechat');
    const phone = await stage.wechat();
    await scan(phone, await scanUrl(page), 'xiaohong');
    const asked = await phone.locator('main').innerText();
    assert.ok(asked.includes(zh['account.confirm_heading']), asked);
    assert.match(asked, /Ada/);
    assert.equal(await phone.getByRole('button', { name: zh['account.confirm_approve'] }).count(), 1);
    await approve(phone, await number(page));
    await notice(page, 'linked').waitFor();
    assert.equal((await signInBy(house, 'wechat', 'xiaohong')).sub, (await signInBy(house, 'wechat', 'ada')).sub);
  });

  journey('going back without an answer changes nothing', async (stage) => {
    const page = await openAccount(stage, 'ada');
    await beginLink(page, 'wecom');
    await page.locator('form[data-form="cancel"] button').click();
    await notice(page, 'cancelled').waitFor();
    assert.equal(await heading(page, WECOM).count(), 0);
  });

  journey('signing out ends the session: the page asks for a scan again', async (stage) => {
    const page = await openAccount(stage, 'ada');
    await page.locator('.card-foot a[href="/logout"]').click();
    await page.locator('main form button').first().click();
    await page.goto(`${house.server.url}/account`);
    await status(page, 'waiting').waitFor();
  });

  journey('SEC-90 a person deletes their account: every browser is signed out, and the same phone is somebody new', async (stage) => {
    const before = await signInBy(house, 'wechat', 'plain');
    const elsewhere = await openAccount(stage, 'plain');
    const page = await openAccount(stage, 'plain');
    await page.getByRole('link', { name: zh['account.erase.title'] }).click();
    const said = await page.locator('[data-erase]').innerText();
    assert.ok(said.includes(before.sub) && said.includes(zh['account.erase.final']), said);
    assert.match(await page.locator('[data-websites]').innerText(), /\S/, 'the websites that keep copies are named');
    await page.getByRole('button', { name: zh['account.erase.button'] }).click();
    await page.getByRole('heading', { name: zh['account.erased.heading'] }).waitFor();

    await elsewhere.reload();
    await status(elsewhere, 'waiting').waitFor();
    const told = house.server.log().find((line) => line.includes(`${before.sub} has erased their account`));
    assert.match(told ?? '', /websites that know them .*: \S+/, 'the operator learns whom to tell');
    const again = await signInBy(house, 'wechat', 'plain');
    assert.notEqual(again.sub, before.sub);
  });

  test('SEC-90 an operator erases somebody with a look first', async () => {
    const { sub } = await signInBy(house, 'wechat', 'emoji');
    const user = (...args) => run(['user', ...args, '--config', house.server.config]);
    const preview = await user('erase', sub);
    assert.match(preview, /website \S+ knows them/);
    assert.match(preview, /audit trail.*400 days/);
    assert.match(preview, /Nothing has been changed/);
    assert.equal((await signInBy(house, 'wechat', 'emoji')).sub, sub, 'looking erases nobody');
    assert.match(await user('erase', sub, '--yes'), new RegExp(`${sub} is erased`));
    await assert.rejects(user('show', sub), /there is no person/);
    await assert.rejects(user('erase', sub, '--yes'), /there is no person/);
    assert.match(await run(['audit', 'list', '--config', house.server.config]), new RegExp(`person_erased  user_id=${sub}`));
    assert.notEqual((await signInBy(house, 'wechat', 'emoji')).sub, sub);
  });

  test('an administrator merges two users with a look first, and undoes it', async () => {
    const [member, person] = [await signInBy(house, 'wecom', 'xiaoming'), await signInBy(house, 'wechat', 'emoji')];
    assert.notEqual(member.sub, person.sub);
    const user = (...args) => run(['user', ...args, '--config', house.server.config]);
    const preview = await user('merge', member.sub, person.sub).then((said) => said, (error) => error.stdout + error.stderr);
    assert.match(preview, /wecom/);
    assert.equal((await signInBy(house, 'wecom', 'xiaoming')).sub, member.sub, 'looking merges nobody');
    const said = await user('merge', member.sub, person.sub, '--yes');
    assert.equal((await signInBy(house, 'wecom', 'xiaoming')).sub, person.sub);
    const [, merge] = /user unmerge (\S+)/.exec(said) ?? [];
    assert.ok(merge, `says how to undo it: ${said}`);
    await user('unmerge', merge);
    assert.equal((await signInBy(house, 'wecom', 'xiaoming')).sub, member.sub);
    assert.equal((await signInBy(house, 'wechat', 'emoji')).sub, person.sub);
  });
});

describe('leavers', () => {
  let house;
  let second;
  before(async () => {
    house = await startHouse({ channels: (sandbox) => wecom(sandbox, { events: true }) });
    second = await startSite(house.server, 'second');
    await tellWhereNewsGo(house);
  });
  after(async () => {
    await second?.stop();
    await house?.stop();
  });

  test('SEC-35 a member who leaves is signed out at once: the next website, and the own page, ask again', async () => {
    const { corps: [{ corpid }] } = await house.wechat.call('/wecom/corps');
    const computer = await startComputer(house);
    await ways.wecom(house, computer, 'xiaoming');
    const toSecond = async () => location(await computer.jar.get(await location(await computer.jar.get(`${second.url}/login`))));
    assert.ok((await toSecond()).startsWith(`${second.url}/callback`), 'a session suffices');
    assert.equal((await computer.jar.get(`${house.server.url}/account`)).status, 200);

    const { event } = await house.wechat.call(`/wecom/corps/${corpid}/members/XiaoMing`, { status: 'left' });
    assert.ok(event, 'the company told its server');
    assert.match(await toSecond(), /\/login\//);
    assert.match(await location(await computer.jar.get(`${house.server.url}/account`)), /\/login\//);
  });
});
