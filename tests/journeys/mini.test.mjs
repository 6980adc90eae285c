/**
 * A mini-program: WeChat draws a code for each ticket, the mini-program's page asks, and its server is ours. By the code,
 * and by our own link, which a published rule opens in the mini-program.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { journeys, number, otherNumber, scanUrl, signIn, status } from '../support/browser.mjs';
import { mini, officialLink, tellMiniProgram } from '../support/channels.mjs';
import { startComputer } from '../support/computer.mjs';
import { claim, signInAtSample, signedIn } from '../support/demo.mjs';
import { claims, startHouse } from '../support/house.mjs';
import { approveInMini, openMini, problem, question, tap } from '../support/mini.mjs';
import { startDemo } from '../support/processes.mjs';
import { until } from '../support/wait.mjs';
import { WeChat } from '../support/wechat.mjs';

const zh = JSON.parse(readFileSync(new URL('../../crates/server/locales/zh-CN.json', import.meta.url), 'utf8'));
const journey = journeys();

/** The text in the code that a login page shows: the sandbox's link knows it, the picture is WeChat's. */
async function codeText(page) {
  const link = await page.locator('a[data-qr]').getAttribute('href');
  const to = (await fetch(link, { redirect: 'manual' })).headers.get('location');
  return new URL(to, link).searchParams.get('open');
}

describe('in the demo', () => {
  let demo;
  let wechat;
  let miniAppid;
  before(async () => {
    demo = await startDemo();
    wechat = new WeChat(demo.sandbox);
    miniAppid = (await wechat.call('/apps')).apps.find(({ kind }) => kind === 'mini-program').appid;
  });
  after(() => demo?.stop());

  const open = async (stage) => signInAtSample(await stage.desktop(), demo, 'wechat-mini');
  const scanBy = async (stage, computer, person) => {
    const phone = await stage.wechat();
    await openMini(phone, demo.sandbox, await codeText(computer), person);
    return phone;
  };

  journey('a person scans the mini-program\'s code, sees what they sign in to, types the number, and is signed in', async (stage) => {
    const computer = await open(stage);
    const text = await stage.camera(computer.locator('[data-qr] img'));
    assert.equal(text, await codeText(computer));
    const phone = await stage.wechat();
    await openMini(phone, demo.sandbox, text, 'xiaoming');
    await question(phone).waitFor();
    await status(computer, 'scanned').waitFor();
    assert.match(await phone.locator('#mini').innerText(), /示例网站[\s\S]*127\.0\.0\.1/);
    assert.equal(await signedIn(computer).count(), 0, 'a scan signs nobody in');
    await approveInMini(phone, await number(computer));
    await phone.getByRole('heading', { name: /登录成功/ }).waitFor();
    const person = await wechat.person('xiaoming');
    assert.equal(await claim(computer, 'wechat_openid'), person.openids[miniAppid]);
    assert.ok(Object.values(person.unionids).includes(await claim(computer, 'wechat_unionid')));
    assert.match(await claim(computer, 'amr'), /wechat-mini/);
  });

  journey('a click on the code opens the sandbox phone beside the page, which still asks for the number', async (stage) => {
    const computer = await open(stage);
    const [phone] = await Promise.all([computer.context().waitForEvent('page'), computer.locator('a[data-qr]').click()]);
    await phone.locator('button[name="person"][value="ada"]').click();
    await approveInMini(phone, await number(computer));
    await signedIn(computer).waitFor();
  });

  journey('refusing in the mini-program says so on the computer, and a fresh code signs in', async (stage) => {
    const computer = await open(stage);
    const phone = await scanBy(stage, computer, 'ada');
    const first = await codeText(computer);
    await tap(phone, '拒绝');
    await phone.getByRole('heading', { name: /已拒绝/ }).waitFor();
    await status(computer, 'denied').waitFor();
    await computer.locator('.when-denied button').click();
    await status(computer, 'waiting').waitFor();
    assert.notEqual(await codeText(computer), first);
    await approveInMini(await scanBy(stage, computer, 'ada'), await number(computer));
    await signedIn(computer).waitFor();
  });

  journey('SEC-09 a wrong number ends the attempt for good', async (stage) => {
    const computer = await open(stage);
    const phone = await scanBy(stage, computer, 'ada');
    const text = await codeText(computer);
    await approveInMini(phone, otherNumber(await number(computer)));
    await problem(phone).filter({ hasText: '数字不对' }).waitFor();
    await status(computer, 'wrong_number').waitFor();
    await phone.goto(text);
    await problem(phone).waitFor();
    assert.equal(await question(phone).count(), 0, 'there is no second try');
  });

  journey('SEC-06 a second phone is told that another scanned, and the first goes on', async (stage) => {
    const computer = await open(stage);
    const first = await scanBy(stage, computer, 'xiaoming');
    await question(first).waitFor();
    const second = await scanBy(stage, computer, 'xiaohong');
    await problem(second).filter({ hasText: zh['phone.taken'] }).waitFor();
    await approveInMini(first, await number(computer));
    assert.equal(await claim(computer, 'wechat_openid'), (await wechat.person('xiaoming')).openids[miniAppid]);
  });

  journey('without scripts on the computer the code is shown, and a button collects the approval', async (stage) => {
    const computer = await stage.desktop({ javaScriptEnabled: false });
    await signInAtSample(computer, demo, 'wechat-mini');
    const phone = await stage.wechat();
    await openMini(phone, demo.sandbox, await stage.camera(computer.locator('[data-qr] img')), 'ada');
    await approveInMini(phone, await number(computer));
    await phone.getByRole('heading', { name: /登录成功/ }).waitFor();
    await computer.locator('.no-script form[data-form="redeem"] button').click();
    await signedIn(computer).waitFor();
  });
});

describe('phone number', () => {
  let house;
  before(async () => {
    house = await startHouse({ channels: mini });
    await tellMiniProgram(house);
  });
  after(() => house?.stop());

  journey('a person who shares the phone number has it told to a website that asks, and to no other', async (stage) => {
    const { phone_number: own } = await house.wechat.call('/mini/phone-number', { appid: house.sandbox.mini.appid, person: 'ada' });
    for (const [scope, told] of [['openid phone', own], ['openid', undefined]]) {
      const computer = await signIn(await stage.desktop(), house.site, `?${new URLSearchParams({ scope })}`);
      const phone = await stage.wechat();
      await openMini(phone, house.sandbox.url, await codeText(computer), 'ada');
      await question(phone).waitFor();
      await tap(phone, '同时提供手机号');
      await phone.locator('#mini').getByText('已提供手机号').waitFor();
      await approveInMini(phone, await number(computer));
      const found = (await claims(computer)).phone_number;
      assert.equal(found?.replace(/^\+86/, ''), told);
    }
  });

  test('SEC-22 SEC-24 a phone that names a person is refused, whatever the name', async () => {
    const computer = await startComputer(house);
    const code = new URL(computer.page).pathname.split('/').at(-1);
    const { code: login } = await house.wechat.call('/mini/login', { appid: house.sandbox.mini.appid, person: 'ada' });
    const { openids, unionids } = await house.wechat.person('xiaoming');
    for (const claimed of [
      { openid: openids[house.sandbox.mini.appid] }, { unionid: Object.values(unionids)[0] }, { phone_number: '13800000001' },
      { session_key: 'x' }, { access_token: 'x' }, { userid: 'XiaoMing' },
    ]) {
      const told = await fetch(`${house.server.url}/api/phone/wechat-mini/${code}/scan`, {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ code: login, ...claimed }),
      });
      assert.deepEqual([told.status, (await told.json()).error], [400, 'identity_in_request'], Object.keys(claimed)[0]);
    }
    assert.equal((await computer.status()).status, 'waiting');
  });
});

describe('builds that are not released', () => {
  let house;
  before(async () => {
    house = await startHouse({ channels: (sandbox) => mini(sandbox, { version: 'trial' }) });
    await tellMiniProgram(house);
  });
  after(() => house?.stop());

  journey('the trial build opens for the project\'s members alone', async (stage) => {
    const computer = await signIn(await stage.desktop(), house.site);
    const [member, stranger] = [await stage.wechat(), await stage.wechat()];
    const text = await codeText(computer);
    await openMini(stranger, house.sandbox.url, text, 'ada');
    await stranger.locator('section.notice[data-kind="mini_stranger"]').waitFor();
    assert.equal(await status(computer, 'waiting').count(), 1);
    await openMini(member, house.sandbox.url, text, 'xiaoming');
    await approveInMini(member, await number(computer));
    assert.deepEqual((await claims(computer)).amr, ['wechat-mini']);
  });
});

describe('on a server whose codes live for seconds', () => {
  let house;
  before(async () => {
    house = await startHouse({ channels: mini, settings: '[login]\nscan_seconds = 3\nconfirm_seconds = 2\n' });
    await tellMiniProgram(house);
  });
  after(() => house?.stop());

  const renewed = (page, old) => until('a fresh code', async () => {
    const now = await codeText(page);
    return now !== old && now;
  });

  journey('SEC-05 an expired code is replaced by itself, and the old one opens a mini-program that knows no login', async (stage) => {
    const computer = await signIn(await stage.desktop(), house.site);
    const first = await codeText(computer);
    await renewed(computer, first);
    const phone = await stage.wechat();
    await openMini(phone, house.sandbox.url, first, 'ada');
    await problem(phone).filter({ hasText: zh['phone.unknown_login'] }).waitFor();
  });

  journey('SEC-05 an approval after the deadline counts for nothing', async (stage) => {
    const computer = await signIn(await stage.desktop(), house.site);
    const phone = await stage.wechat();
    let text = await codeText(computer);
    await openMini(phone, house.sandbox.url, text, 'ada');
    await until('a scan in time', async () => {
      if (await question(phone).count()) return true;
      if (!await problem(phone).count()) return false;
      text = await codeText(computer);
      await phone.goto(text);
      return false;
    });
    await renewed(computer, text);
    await approveInMini(phone, '00');
    await problem(phone).waitFor();
    assert.equal(await computer.locator('#claims').count(), 0);
  });
});

describe('our own link', () => {
  let house;
  /** A call of the mini-program's own API at the sandbox, as its administrator makes it. */
  const call = async (sandbox, path, body) => {
    const at = `${sandbox.url}/api.weixin.qq.com/cgi-bin`;
    const send = async (url, json) => (await fetch(url, { method: 'POST', body: JSON.stringify(json) })).json();
    const { appid, secret } = sandbox.mini;
    const { access_token } = await send(`${at}/stable_token`, { grant_type: 'client_credential', appid, secret });
    const told = await send(`${at}/wxopen/${path}?access_token=${access_token}`, body);
    assert.equal(told.errcode, 0, `${path}: ${told.errcode} ${told.errmsg}`);
    return told;
  };
  before(async () => {
    house = await startHouse({
      channels: async (sandbox) => {
        const file = await call(sandbox, 'qrcodejumpdownload', {});
        return mini(sandbox, { qr: 'link' }) + officialLink(sandbox, { order: 9 })
          + `[server.verification_files]\n"${file.file_name}" = "${file.file_content}"\n`;
      },
    });
    await tellMiniProgram(house);
  });
  after(() => house?.stop());

  journey('under a published rule our QR opens the mini-program, and before that the official account', async (stage) => {
    const computer = await signIn(await stage.desktop(), house.site);
    const url = await stage.camera(computer.locator('[data-qr]'));
    assert.equal(url, await scanUrl(computer));
    const prefix = `${house.server.url}/s/`;
    const early = await house.wechat.call('/scan', { url, person: 'ada' });
    assert.match(early.open, /via=wechat/, 'without a rule it is a link like any other');
    await call(house.sandbox, 'qrcodejumpadd', { prefix, path: 'pages/login/login', open_version: 3, permit_sub_rule: 1, is_edit: 0 });
    await call(house.sandbox, 'qrcodejumppublish', { prefix });

    const phone = await stage.wechat();
    await openMini(phone, house.sandbox.url, url, 'ada');
    await question(phone).waitFor();
    await approveInMini(phone, await number(computer));
    assert.deepEqual((await claims(computer)).amr, ['wechat-mini']);
  });
});
