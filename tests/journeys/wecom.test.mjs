/**
 * A company's WeCom: its panel in our page, its page in the whole window, new and old, and our own link inside its app.
 * 小明 is a member, 小红 one whom the app may not see, `plain` one who is switched off, Ada a stranger.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { approve, deny, journeys, number, otherNumber, outcome, scanUrl, signIn, status } from '../support/browser.mjs';
import { wecom } from '../support/channels.mjs';
import { startComputer } from '../support/computer.mjs';
import { claims, startHouse } from '../support/house.mjs';
import { WECOM_PHONE } from '../support/jar.mjs';
import { until } from '../support/wait.mjs';
import { WecomPage, answer, scanInWecom } from '../support/wecom.mjs';

const SCOPE = '?scope=openid+profile+wecom';
const zh = JSON.parse(readFileSync(new URL('../../crates/server/locales/zh-CN.json', import.meta.url), 'utf8'));
const NOT_ADMITTED = zh['problem.channel_person.heading'].replace('{app}', zh['platform.wecom.name']);
const journey = journeys();

/** A house with WeCom alone, set up by `more`. */
function inHouse(more, settings) {
  const rooms = {};
  before(async () => { rooms.house = await startHouse({ channels: (sandbox) => wecom(sandbox, more), settings }); });
  after(() => rooms.house?.stop());
  return rooms;
}

/** The claims that tell this member to a website. */
async function assertIsXiaoming(told, house) {
  const { corps: [corp] } = await house.wechat.call('/wecom/corps');
  assert.equal(told.name, '王小明');
  assert.equal(told.wecom_corpid, corp.corpid);
  assert.equal(told.wecom_userid, 'XiaoMing', 'as the directory writes it');
  assert.deepEqual(told.wecom_departments, [2]);
  assert.deepEqual(told.amr, ['wecom']);
  assert.equal(told.wechat_openid, undefined);
}

describe('panel in our page', () => {
  const rooms = inHouse({});
  const open = async (stage) => {
    const computer = await signIn(await stage.desktop(), rooms.house.site, SCOPE);
    return { computer, panel: WecomPage.panel(rooms.house.wechat, computer) };
  };

  journey('a member scans with WeCom, confirms there, and is signed in', async (stage) => {
    const { computer, panel } = await open(stage);
    const phone = await stage.phone();
    await scanInWecom(phone, rooms.house.sandbox.url, await stage.camera(panel.picture()), 'xiaoming');
    await panel.inside.locator('.js_scanned').waitFor();
    assert.equal(await computer.locator('#claims').count(), 0, 'a scan signs nobody in');
    await answer(phone, 'allow');
    await assertIsXiaoming(await claims(computer), rooms.house);
  });

  journey('a refusal is told in the frame, nobody is signed in, and a fresh code signs in', async (stage) => {
    const { computer, panel } = await open(stage);
    const phone = await stage.phone();
    await scanInWecom(phone, rooms.house.sandbox.url, await stage.camera(panel.picture()), 'xiaoming');
    await answer(phone, 'deny');
    await panel.inside.getByRole('heading', { name: zh['frame.not_signed_in.heading'] }).waitFor();
    assert.equal(await computer.locator('#claims').count(), 0);
    await computer.locator('form[data-form="refresh"] button:visible').first().click();
    await (await panel.scan('xiaoming')).allow();
    await assertIsXiaoming(await claims(computer), rooms.house);
  });

  journey('SEC-06 a second phone on a scanned code is refused by WeCom, and the first may still confirm', async (stage) => {
    const { computer, panel } = await open(stage);
    const first = await panel.scan('xiaoming');
    const second = await stage.phone();
    const text = await stage.camera(panel.picture());
    await scanInWecom(second, rooms.house.sandbox.url, text, 'ada');
    await second.locator('section.notice[data-kind="taken"]').waitFor();
    await first.allow();
    await assertIsXiaoming(await claims(computer), rooms.house);
  });

  journey('a member outside the visible range is told so by WeCom, and the page goes on waiting', async (stage) => {
    const { computer, panel } = await open(stage);
    const phone = await stage.phone();
    await scanInWecom(phone, rooms.house.sandbox.url, await stage.camera(panel.picture()), 'xiaohong');
    await phone.locator('section.notice[data-kind="out_of_range"]').waitFor();
    assert.equal(await status(computer, 'waiting').count(), 1);
  });

  for (const [person, who] of [['plain', 'a member who is switched off'], ['ada', 'a stranger']]) {
    journey(`SEC-35 ${who} is refused in clear words, and a member can sign in after them`, async (stage) => {
      const { computer, panel } = await open(stage);
      await (await panel.scan(person)).allow();
      await panel.inside.getByRole('heading', { name: NOT_ADMITTED }).waitFor();
      assert.equal(await computer.locator('#claims').count(), 0);
      await computer.locator('form[data-form="refresh"] button:visible').first().click();
      await (await panel.scan('xiaoming')).allow();
      await assertIsXiaoming(await claims(computer), rooms.house);
    });
  }

  journey('SEC-05 a panel that WeCom lets expire is drawn again by one press inside it, and signs in', async (stage) => {
    const { computer, panel } = await open(stage);
    const first = await panel.key();
    await rooms.house.wechat.call('/reset', {});
    await panel.inside.locator('.js_refresh').click();
    await until('WeCom draws a fresh code', async () => (await panel.key()) !== first);
    await (await panel.scan('xiaoming')).allow();
    await assertIsXiaoming(await claims(computer), rooms.house);
  });

  journey('a fresh panel is there at one press, and the code of the old one is worth nothing', async (stage) => {
    const { computer, panel } = await open(stage);
    const old = await panel.scan('xiaoming');
    const first = await panel.key();
    await computer.locator('.while-waiting form[data-form="refresh"] button').click();
    await until('a fresh panel', async () => (await panel.key()) !== first);
    const { redirect } = await old.allow();
    await computer.context().newPage().then((tab) => tab.goto(redirect));
    assert.equal(await computer.locator('#claims').count(), 0);
    assert.equal(await status(computer, 'waiting').count(), 1);
    await (await panel.scan('xiaoming')).allow();
    await assertIsXiaoming(await claims(computer), rooms.house);
  });

  journey('instead of the frame WeCom\'s page may have the whole window', async (stage) => {
    const { computer } = await open(stage);
    await computer.locator('a[data-link="frame"]').click();
    await computer.waitForURL(`${rooms.house.sandbox.url}/**`, { waitUntil: 'commit' });
    await (await new WecomPage(rooms.house.wechat, computer).scan('xiaoming')).allow();
    await assertIsXiaoming(await claims(computer), rooms.house);
  });

  journey('SEC-25 a callback that another browser opens signs nobody in, there or here', async (stage) => {
    const { computer, panel } = await open(stage);
    const stranger = await stage.desktop();
    const tap = await panel.scan('xiaoming');
    await computer.context().setOffline(true);
    const { redirect } = await tap.allow();
    assert.equal((await stranger.goto(redirect)).status(), 404);
    assert.equal(await stranger.locator('#claims').count(), 0);
  });
});

for (const [name, more] of [
  ['page in the whole window', { qr: 'page' }],
  ['old page in the whole window', { qr: 'page', old_page: true }],
]) {
  describe(name, () => {
    const rooms = inHouse(more);
    const open = async (stage) => {
      const computer = await signIn(await stage.desktop(), rooms.house.site, SCOPE);
      assert.equal(await computer.locator('iframe').count(), 0);
      await computer.locator('a[data-link="frame"]').click();
      await computer.waitForURL(`${rooms.house.sandbox.url}/**`, { waitUntil: 'commit' });
      return { computer, page: new WecomPage(rooms.house.wechat, computer) };
    };

    journey(`${name}: a member confirms on the phone and is signed in`, async (stage) => {
      const { computer, page } = await open(stage);
      await (await page.scan('xiaoming')).allow();
      await assertIsXiaoming(await claims(computer), rooms.house);
    });

    journey(`${name}: a refusal comes back with the state alone, to the login page`, async (stage) => {
      const { computer, page } = await open(stage);
      const { redirect } = await (await page.scan('xiaoming')).deny();
      assert.deepEqual([...new URL(redirect).searchParams.keys()], ['state']);
      await computer.waitForURL(`${rooms.house.server.url}/login/**`);
      await status(computer, 'waiting').waitFor();
    });

    journey(`${name}: SEC-35 a stranger is refused in the whole window, and the way back works`, async (stage) => {
      const { computer, page } = await open(stage);
      await (await page.scan('ada')).allow();
      await computer.getByRole('heading', { name: NOT_ADMITTED }).waitFor();
      await computer.locator('.actions a').click();
      await status(computer, 'waiting').waitFor();
    });
  });
}

describe('our link inside WeCom', () => {
  const rooms = inHouse({ qr: 'link' });
  const open = async (stage) => signIn(await stage.desktop(), rooms.house.site, SCOPE);

  /** Opens our link in WeCom as `person`; WeCom asks nothing. */
  const openInWecom = async (phone, url, person) => {
    await phone.goto(url);
    await phone.locator(`button[name="person"][value="${person}"]`).click();
  };
  const scan = async (phone, url, person) => {
    await openInWecom(phone, url, person);
    await phone.locator('form#approve').waitFor({ state: 'attached' });
  };

  journey('a member scans our QR with WeCom, types the number, approves, and is signed in', async (stage) => {
    const computer = await open(stage);
    const phone = await stage.wecom();
    const url = await stage.camera(computer.locator('[data-qr]'));
    assert.equal(url, await scanUrl(computer));
    await scan(phone, url, 'xiaoming');
    await status(computer, 'scanned').waitFor();
    assert.match(await phone.locator('main').innerText(), /王小明/);
    await approve(phone, await number(computer));
    await outcome(phone, 'approved').waitFor();
    await assertIsXiaoming(await claims(computer), rooms.house);
  });

  journey('denying says so on the computer', async (stage) => {
    const computer = await open(stage);
    const phone = await stage.wecom();
    await scan(phone, await scanUrl(computer), 'xiaoming');
    await deny(phone);
    await outcome(phone, 'denied').waitFor();
    await status(computer, 'denied').waitFor();
  });

  journey('SEC-09 a wrong number ends the attempt', async (stage) => {
    const computer = await open(stage);
    const phone = await stage.wecom();
    await scan(phone, await scanUrl(computer), 'xiaoming');
    await approve(phone, otherNumber(await number(computer)));
    await outcome(phone, 'wrong_number').waitFor();
    await status(computer, 'wrong_number').waitFor();
  });

  journey('SEC-06 a second phone is refused, and the first goes on', async (stage) => {
    const computer = await open(stage);
    const [first, second] = [await stage.wecom(), await stage.wecom()];
    await scan(first, await scanUrl(computer), 'xiaoming');
    await second.goto(await scanUrl(computer));
    await outcome(second, 'taken').waitFor();
    await approve(first, await number(computer));
    await assertIsXiaoming(await claims(computer), rooms.house);
  });

  for (const [person, who] of [
    ['xiaohong', 'a member outside the visible range'], ['plain', 'a member who is switched off'], ['ada', 'a stranger'],
  ]) {
    journey(`SEC-35 ${who} is refused in clear words, and the code stays for a member`, async (stage) => {
      const computer = await open(stage);
      const phone = await stage.wecom();
      await openInWecom(phone, await scanUrl(computer), person);
      await phone.getByRole('heading', { name: NOT_ADMITTED }).waitFor();
      assert.equal(await status(computer, 'waiting').count(), 1);
      const member = rooms.house.wechat.phone('xiaoming', { 'user-agent': WECOM_PHONE });
      await member.scan(await scanUrl(computer));
      assert.equal(await member.approve(await number(computer)), 'approved');
      await assertIsXiaoming(await claims(computer), rooms.house);
    });
  }

  journey('SEC-11 inside WeCom there is no QR: one button, no number, and the member is signed in right there', async (stage) => {
    const phone = await signIn(await stage.wecom(), rooms.house.site, SCOPE);
    assert.equal(await phone.locator('[data-qr]').count(), 0);
    await phone.locator('a[data-link="onward"]').click();
    await phone.locator('button[name="person"][value="xiaoming"]').click();
    await phone.locator('form#approve').waitFor({ state: 'attached' });
    assert.equal(await phone.locator('#number').count(), 0);
    await approve(phone);
    await assertIsXiaoming(await claims(phone), rooms.house);
  });

  for (const how of ['kill', 'expire']) {
    test(`an app token that WeCom has ended (${how}) is replaced, and nobody notices`, async () => {
      const { house } = rooms;
      const signInOnce = async () => {
        const computer = await startComputer(house, SCOPE);
        const member = house.wechat.phone('xiaoming', { 'user-agent': WECOM_PHONE });
        await member.scan(computer.scanUrl);
        assert.equal(await member.approve(computer.number), 'approved');
        return computer.finish();
      };
      const first = await signInOnce();
      const from = house.server.log().length;
      await house.wechat.call('/wecom/tokens', { [how]: true });
      assert.equal((await signInOnce()).sub, first.sub);
      assert.deepEqual(house.server.log().slice(from).filter((line) => / ERROR /.test(line)), []);
    });
  }

  test('SEC-35 whoever has left the company is refused from then on', async () => {
    const { house } = rooms;
    const { corps: [{ corpid }] } = await house.wechat.call('/wecom/corps');
    const member = `/wecom/corps/${corpid}/members/XiaoMing`;
    const phone = () => house.wechat.phone('xiaoming', { 'user-agent': WECOM_PHONE });
    const computer = await startComputer(house, SCOPE);
    await house.wechat.call(member, { status: 'left' });
    try {
      const scanned = phone();
      const answer = await scanned.jar.get(await scanned.authorize(await scanned.open(computer.scanUrl)));
      assert.equal(answer.status, 502);
      assert.ok((await answer.text()).includes(NOT_ADMITTED));
      assert.equal((await computer.status()).status, 'waiting');
    } finally {
      await house.wechat.call(member, { status: 'active' });
    }
    const back = phone();
    await back.scan(computer.scanUrl);
    assert.equal(await back.approve(computer.number), 'approved');
    await computer.finish();
  });
});

describe('our link inside WeCom, on a server whose codes live for seconds', () => {
  const rooms = inHouse({ qr: 'link' }, '[login]\nscan_seconds = 2\nconfirm_seconds = 3\n');

  journey('SEC-05 an expired code leads nowhere in WeCom either', async (stage) => {
    const computer = await signIn(await stage.desktop(), rooms.house.site);
    const first = await scanUrl(computer);
    await until('a fresh code', async () => (await scanUrl(computer)) !== first);
    const phone = await stage.wecom();
    await phone.goto(first);
    await outcome(phone, 'expired').waitFor();
  });
});

describe('outsiders admitted by the operator', () => {
  const rooms = inHouse({ allow_outsiders: true });

  journey('SEC-35 a stranger signs in as a person of their own, without a member\'s name', async (stage) => {
    const people = [];
    for (const person of ['ada', 'xiaoming']) {
      const computer = await signIn(await stage.desktop(), rooms.house.site, SCOPE);
      await (await WecomPage.panel(rooms.house.wechat, computer).scan(person)).allow();
      people.push(await claims(computer));
    }
    const [stranger, member] = people;
    assert.notEqual(stranger.sub, member.sub);
    assert.equal(stranger.wecom_userid, undefined);
    await assertIsXiaoming(member, rooms.house);
  });
});

describe('private fields inside WeCom', () => {
  const rooms = inHouse({ qr: 'link', private_info: true });
  before(async () => {
    const { corps: [{ corpid, agents: [{ agentid }] }] } = await rooms.house.wechat.call('/wecom/corps');
    await rooms.house.wechat.call(`/wecom/corps/${corpid}/agents/${agentid}`, { private_fields: true });
  });
  const ask = async (stage) => {
    const computer = await signIn(await stage.desktop(), rooms.house.site, '?scope=openid+email');
    const phone = await stage.wecom();
    await phone.goto(await scanUrl(computer));
    await phone.locator('button[name="person"][value="xiaoming"]').click();
    return { computer, phone };
  };

  journey('a member who agrees has the address told to a website that asks for it', async (stage) => {
    const { computer, phone } = await ask(stage);
    await phone.locator('button[name="answer"][value="allow"]').click();
    await approve(phone, await number(computer));
    const told = await claims(computer);
    assert.equal(told.email, 'xiaoming@corp.example');
    assert.notEqual(told.email_verified, true, 'WeCom does not say that it was verified');
  });

  journey('a member who does not agree signs in nowhere, and the code stays', async (stage) => {
    const { computer, phone } = await ask(stage);
    await phone.locator('button[name="answer"][value="deny"]').click();
    await phone.locator('section.notice[data-kind="denied"]').waitFor();
    assert.equal(await status(computer, 'waiting').count(), 1);
  });
});
