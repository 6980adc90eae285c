/**
 * One QR, any app: the same `/s/…` leads to the login of whatever opens it. And one login page, any channel: tabs side by
 * side over one ticket, none of which troubles another.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';

import { startOwnApp } from '../../examples/own-app/server.mjs';
import { approve, journeys, number, scan, scanUrl, signIn, status, ticketUrl } from '../support/browser.mjs';
import { linkAndPage, officialLink, ownApp, wecom } from '../support/channels.mjs';
import { startComputer } from '../support/computer.mjs';
import { claim, signInAtSample } from '../support/demo.mjs';
import { claims, startHouse } from '../support/house.mjs';
import { DESKTOP, Jar, WECHAT_PHONE, WECOM_PHONE } from '../support/jar.mjs';
import { freePort, startDemo, startSandbox, startServer } from '../support/processes.mjs';
import { startSite } from '../support/site.mjs';
import { until } from '../support/wait.mjs';
import { WeChat } from '../support/wechat.mjs';

const zh = JSON.parse(readFileSync(new URL('../../crates/server/locales/zh-CN.json', import.meta.url), 'utf8'));
const ANDROID =
  'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36';
const WECHAT_WINDOWS =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0 Safari/537.36 MicroMessenger/7.0.20.1781(0x6700143B) NetType/WIFI MiniProgramEnv/Windows WindowsWechat/WMPF';
const LINK_TEMPLATE = 'myapp://login?code={scan_code}';
const journey = journeys();

describe('one QR', () => {
  let house;
  let app;
  before(async () => {
    const port = await freePort();
    house = await startHouse({
      channels: (sandbox) => officialLink(sandbox) + wecom(sandbox, { qr: 'link' }) + ownApp(`http://127.0.0.1:${port}`),
    });
    app = await startOwnApp({ mashang: house.server.url, port });
  });
  after(async () => {
    await app?.stop();
    await house?.stop();
  });

  /** A call of the phone API, as the app's back end makes it. */
  const call = async (url, step, body = {}) => {
    const told = await fetch(`${house.server.url}/api/phone/myapp/${url.split('/').at(-1)}/${step}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${app.issuer.tokenFor('ming', '小明')}` },
      body: JSON.stringify(body),
    });
    return { code: told.status, ...await told.json() };
  };

  const doors = [
    { amr: 'wechat-official', name: 'WeChat', tab: 'wecom', async scan(stage, url) {
      const phone = await stage.wechat();
      await scan(phone, url, 'xiaoming');
      return (digits) => approve(phone, digits);
    } },
    { amr: 'wecom', name: 'WeCom', tab: 'myapp', async scan(stage, url) {
      const phone = await stage.wecom();
      await phone.goto(url);
      await phone.locator('button[name="person"][value="xiaoming"]').click();
      await phone.locator('form#approve').waitFor({ state: 'attached' });
      return (digits) => approve(phone, digits);
    } },
    { amr: 'app', name: 'the operator\'s app', tab: 'wechat', async scan(stage, url) {
      const { phone_token } = await call(url, 'scan');
      return async (digits) => assert.equal((await call(url, 'approve', { phone_token, number: digits })).status, 'approved');
    } },
  ];

  for (const { amr, name, tab, scan: scanWith } of doors) {
    journey(`${name} logs in by the code under the tab ${tab}, which is another's`, async (stage) => {
      const computer = await signIn(await stage.desktop(), house.site, `?login_hint=${tab}`);
      const answer = await scanWith(stage, await stage.camera(computer.locator('[data-qr]')));
      await status(computer, 'scanned').waitFor();
      await answer(await number(computer));
      assert.deepEqual((await claims(computer)).amr, [amr]);
    });
  }

  test('SEC-06 whichever app scanned first owns the code, and the others are told so', async () => {
    const scans = {
      wechat: async (url) => (await house.wechat.phone('xiaoming').scan(url)).url,
      wecom: async (url) => (await house.wechat.phone('xiaoming', { 'user-agent': WECOM_PHONE }).scan(url)).url,
      app: async (url) => (await call(url, 'scan')).error ?? 'scanned',
    };
    for (const first of Object.keys(scans)) {
      const computer = await startComputer(house);
      assert.match(await scans[first](computer.scanUrl), /\/confirm$|^scanned$/, first);
      for (const late of Object.keys(scans).filter((door) => door !== first)) {
        const told = late === 'app' ? await scans.app(computer.scanUrl)
          : new URL((await new Jar({ 'user-agent': late === 'wecom' ? WECOM_PHONE : WECHAT_PHONE })
            .get(computer.scanUrl)).headers.get('location'), computer.scanUrl).searchParams.get('outcome');
        assert.equal(told, 'taken', `${late} after ${first}`);
      }
      assert.equal((await computer.status()).status, 'scanned');
    }
  });

  journey('a browser\'s tab that plays the phone is in the app of the QR it scans, and no other browser is inside WeChat', async (stage) => {
    const tabOf = async (channel) => signIn(await stage.desktop(), house.site, `?login_hint=${channel}`);
    const link = (computer) => computer.locator('[data-link="sandbox"]').first().getAttribute('href');
    const phone = await stage.desktop();
    await phone.goto(await link(await tabOf('wecom')));
    await phone.locator('button[name="person"][value="xiaoming"]').click();
    await phone.locator('form#approve').waitFor({ state: 'attached' });

    const computer = await tabOf('wechat');
    await phone.goto(await link(computer));
    await phone.locator('a.button', { hasText: '小明' }).click();
    await phone.locator('a[data-onward]').click();
    await phone.locator('button[name="answer"][value="allow"]').waitFor();
    const asked = phone.url();
    await phone.locator('button[name="answer"][value="allow"]').click();
    await approve(phone, await number(computer));
    assert.deepEqual((await claims(computer)).amr, ['wechat-official']);

    const other = await stage.desktop();
    await other.goto(`${house.sandbox.url}/phone/who`);
    await other.locator('button[name="person"][value="xiaoming"]').click();
    await other.goto(asked);
    await other.locator('section.notice[data-kind="open_in_wechat"]').waitFor();
  });

  test('a camera\'s browser and a computer are handed to the sandbox phone here, and change nothing', async () => {
    const computer = await startComputer(house);
    for (const agent of [ANDROID, DESKTOP, WECHAT_WINDOWS, 'curl/8']) {
      const to = new URL((await new Jar({ 'user-agent': agent }).get(computer.scanUrl)).headers.get('location'));
      assert.equal(to.origin, house.sandbox.url, agent);
      assert.equal(to.searchParams.get('open'), computer.scanUrl);
    }
    assert.equal((await computer.status()).status, 'waiting');
  });
});

describe('one QR, without a sandbox', () => {
  let sandbox;
  let servers;
  before(async () => {
    sandbox = await startSandbox();
    const start = async (channels) => {
      const server = await startServer({ sandbox, real: true, channels });
      return { server, site: await startSite(server), stop: () => server.stop() };
    };
    servers = {
      all: await start((box) => officialLink(box) + wecom(box, { qr: 'link' })
        + ownApp('https://app.example', { link_template: LINK_TEMPLATE })),
      wechat: await start(linkAndPage),
    };
  });
  after(async () => {
    for (const { site, server } of Object.values(servers ?? {})) {
      await site.stop();
      await server.stop();
    }
    await sandbox?.stop();
  });

  journey('a camera\'s browser is told which apps to use, and is offered the operator\'s app', async (stage) => {
    const computer = await signIn(await stage.desktop(), servers.all.site);
    const url = await stage.camera(computer.locator('[data-qr]'));
    const phone = await stage.phone();
    await phone.goto(url);
    await phone.getByRole('heading', { name: zh['open_in.heading'] }).waitFor();
    assert.deepEqual(await phone.locator('ul.apps b').allInnerTexts(), [zh['platform.wechat.name'], zh['platform.wecom.name'], zh['platform.app.name']]
      .filter(Boolean));
    assert.equal(await phone.locator('.actions a').getAttribute('href'), LINK_TEMPLATE.replace('{scan_code}', url.split('/').at(-1)));
    assert.equal(await phone.locator('#scan-url').inputValue(), url);
    assert.equal(await status(computer, 'waiting').count(), 1);
  });

  journey('in WeCom, where only WeChat is offered, the page says so', async (stage) => {
    const computer = await signIn(await stage.desktop(), servers.wechat.site);
    const phone = await stage.wecom();
    await phone.goto(await stage.camera(computer.locator('[data-qr]')));
    await phone.getByRole('heading', { name: zh['open_in.heading'] }).waitFor();
    assert.deepEqual(await phone.locator('ul.apps b').allInnerTexts(), [zh['platform.wechat.name']]);
    assert.equal(await status(computer, 'waiting').count(), 1);
  });

  test('SEC-14 a code that never was looks the same as a live one to a browser', async () => {
    const jar = new Jar({ 'user-agent': DESKTOP });
    const at = async (code) => {
      const answer = await jar.get(`${servers.all.server.url}/s/${code}`);
      return [answer.status, (await answer.text()).replaceAll(code, '…')];
    };
    const login = new Jar({ 'user-agent': DESKTOP });
    const authorize = (await login.get(`${servers.all.site.url}/login`)).headers.get('location');
    const page = (await login.get(authorize)).headers.get('location');
    const live = new URL(page, authorize).pathname.split('/').at(-1);
    const never = live.split('').reverse().join('');
    assert.deepEqual(await at(live), await at(never));
  });
});

describe('tabs', () => {
  let demo;
  let wechat;
  before(async () => {
    demo = await startDemo();
    wechat = new WeChat(demo.sandbox);
  });
  beforeEach(() => wechat.faultsOff());
  after(() => demo?.stop());

  const tabs = (page) => page.locator('nav.tabs a');
  const openTab = async (page, channel) => {
    await page.locator(`nav.tabs a[href="?channel=${channel}"]`).click();
    await page.locator(`nav.tabs a[href="?channel=${channel}"][aria-current="page"]`).waitFor();
  };

  journey('every channel is a labelled tab over one and the same ticket', async (stage) => {
    const computer = await signInAtSample(await stage.desktop(), demo);
    const ids = await tabs(computer).evaluateAll((links) => links.map((link) => new URL(link.href).searchParams.get('channel')));
    assert.deepEqual(ids, ['wechat', 'wechat-web', 'wechat-scan', 'wechat-mini', 'wecom', 'password', 'email', 'sms']);
    const labels = await tabs(computer).allInnerTexts();
    assert.equal(new Set(labels).size, ids.length, `labels tell them apart: ${labels}`);
    const ticket = ticketUrl(computer);
    for (const id of [...ids, ...ids.toReversed()]) {
      await openTab(computer, id);
      assert.equal(ticketUrl(computer), ticket);
      assert.equal(await status(computer, 'waiting').count(), 1, id);
    }
  });

  journey('switching tabs leaves no request running but the open tab\'s own', async (stage) => {
    const computer = await stage.desktop();
    const running = new Set();
    computer.on('request', (request) => running.add(request));
    for (const end of ['requestfinished', 'requestfailed']) computer.on(end, (request) => running.delete(request));
    let sockets = []; // of the present page: those of a page end with it
    computer.on('framenavigated', (frame) => { if (frame === computer.mainFrame()) sockets = []; });
    computer.on('websocket', (socket) => sockets.push(socket));
    await signInAtSample(computer, demo);
    for (const id of ['wecom', 'wechat-web', 'wechat-scan', 'wechat-mini', 'wechat', 'wecom', 'wechat']) await openTab(computer, id);
    const waits = () => [...running].filter((request) => !request.isNavigationRequest()).map((request) => new URL(request.url()).pathname);
    await until('one socket, and nothing else', () => {
      const open = sockets.filter((socket) => !socket.isClosed());
      return open.length === 1 && open[0].url().endsWith('/events') && waits().length === 0;
    });
  });

  journey('a scan is remembered across tabs, and an approval is collected under any of them', async (stage) => {
    const computer = await signInAtSample(await stage.desktop(), demo);
    const phone = wechat.phone('ada');
    await phone.scan(await scanUrl(computer));
    const digits = await number(computer);
    for (const id of ['wechat-scan', 'wecom', 'wechat-web', 'wechat-mini']) {
      await openTab(computer, id);
      await status(computer, 'scanned').waitFor();
    }
    assert.equal(await phone.approve(digits), 'approved');
    assert.equal(await claim(computer, 'name'), 'Ada');
  });

  journey('going back through the tabs shows each as it was chosen, still waiting', async (stage) => {
    const computer = await signInAtSample(await stage.desktop(), demo, 'wechat-scan');
    await openTab(computer, 'wecom');
    await computer.goBack({ waitUntil: 'commit' });
    await computer.locator('nav.tabs a[href="?channel=wechat-scan"][aria-current="page"]').waitFor();
    await status(computer, 'waiting').waitFor();
    await openTab(computer, 'wechat');
    const phone = wechat.phone('ada');
    await phone.scan(await scanUrl(computer));
    assert.equal(await phone.approve(await number(computer)), 'approved');
    assert.equal(await claim(computer, 'name'), 'Ada');
  });

  for (const [channel, fault] of [
    ['wechat-scan', { fault: 'errcode', target: 'qrcode_create', code: 48001 }],
    ['wechat-mini', { fault: 'errcode', target: 'wxacode', code: 41030 }],
  ]) {
    journey(`a platform that refuses is told under the tab ${channel} alone, and trying again works`, async (stage) => {
      await wechat.fault(fault.fault, fault);
      const computer = await signInAtSample(await stage.desktop(), demo, channel);
      const trouble = computer.locator('[data-trouble]');
      await trouble.waitFor();
      assert.match(await trouble.innerText(), new RegExp(`errcode ${fault.code}`), 'with what the operator needs');
      await openTab(computer, 'wechat');
      assert.equal(await trouble.count(), 0);
      await openTab(computer, channel);
      await trouble.waitFor();
      await wechat.faultsOff();
      await trouble.locator('a.button').click();
      await computer.locator('[data-qr]').waitFor();
      await openTab(computer, 'wechat');
      const phone = wechat.phone('ada');
      await phone.scan(await scanUrl(computer));
      assert.equal(await phone.approve(await number(computer)), 'approved');
      assert.equal(await claim(computer, 'name'), 'Ada');
    });
  }

  journey('when the day\'s codes are used up the tab shows our own link, which the same account authorizes', async (stage) => {
    await wechat.fault('errcode', { target: 'qrcode_create', code: 45009 });
    const computer = await signInAtSample(await stage.desktop(), demo, 'wechat-scan');
    assert.equal(await computer.locator('[data-trouble]').count(), 0);
    const url = await stage.camera(computer.locator('[data-qr]'));
    assert.equal(new URL(url).origin, demo.server);
    const phone = await stage.wechat();
    await scan(phone, url, 'ada');
    await approve(phone, await number(computer));
    assert.equal(await claim(computer, 'name'), 'Ada');
    assert.match(await claim(computer, 'amr'), /wechat-official/);
  });

  journey('while one platform gives no token, the others sign in', async (stage) => {
    await wechat.call('/reset', {});
    await wechat.fault('slow', { target: 'stable_token', ms: 120_000 });
    const computer = await signInAtSample(await stage.desktop(), demo);
    const slow = await signInAtSample(await stage.desktop(), demo);
    const opening = openTab(slow, 'wechat-scan').catch((error) => error);
    const phone = wechat.phone('ada');
    await phone.scan(await scanUrl(computer));
    assert.equal(await phone.approve(await number(computer)), 'approved');
    assert.equal(await claim(computer, 'name'), 'Ada');
    await opening;
    await slow.locator('[data-trouble], [data-qr]').first().waitFor();
  });
});
