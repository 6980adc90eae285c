/**
 * The extension in a real ZenTao, in Chromium, with the sandbox's WeCom. It needs one that may be filled with test
 * accounts: `eval "$(…)"` of what `serve.sh <tree>` prints. Without one, everything here is skipped and says so.
 */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Stage, launch } from '../support/browser.mjs';
import { WecomPage } from '../support/wecom.mjs';
import { startMashang } from './support.mjs';
import { ZenTao, zentaoMissing } from './zentao.mjs';

const skip = zentaoMissing();
const PASSWORD = 'Scan-and-bind-1';
const LONG = { timeout: 120_000, skip };

// A skipped suite is counted as nothing, a skipped test as skipped.
if (skip) test('a real ZenTao', { skip }, () => {});

describe('a real ZenTao', { skip }, () => {
  const rooms = {};

  before(async () => {
    rooms.zentao = new ZenTao();
    rooms.folder = await mkdtemp(join(tmpdir(), 'mashang-zentao-'));
    rooms.zip = join(rooms.folder, 'mashang.zip');
    rooms.browser = await launch();
    rooms.mashang = await startMashang();
    await rooms.mashang.plugin(rooms.zentao.url, rooms.zip);
    await fresh();
  }, { timeout: 120_000 });
  after(async () => {
    await rooms.browser?.close();
    await rooms.mashang?.stop();
    if (rooms.folder) await rm(rooms.folder, { recursive: true, force: true });
  });

  /** Three accounts, and ZenTao's own binding of the first, as 后台 › 通知设置 › Webhook makes it. */
  async function fresh() {
    const { zentao, mashang } = rooms;
    for (const [account, name] of [['scan_one', '王小明'], ['scan_two', '李四'], ['scan_three', '王五']]) await zentao.person(account, PASSWORD, name);
    await zentao.sql(`delete from zt_oauth where openID = 'XiaoMing' or providerID = 77 or providerType = 'mashang'; delete from zt_webhook where id = 77;`
      + ` insert into zt_webhook (id, type, name, secret) values (77, 'wechatuser', 'tests', '{"agentId":"1","appKey":"${mashang.corpid}","appSecret":"s"}')`);
  }
  const bindByAdmin = () => rooms.zentao.sql("insert into zt_oauth (account, openID, providerType, providerID) values ('scan_one', 'XiaoMing', 'webhook', 77)");

  /** A test with a browser of its own; a page that fails is photographed. */
  const shown = (name, body) => test(name, LONG, async () => {
    const stage = new Stage(rooms.browser);
    stage.desk = async () => {
      const page = await stage.desktop();
      page.on('dialog', (dialog) => dialog.accept());
      return page;
    };
    try {
      if (rooms.installing) assert.ok(rooms.installed, 'the extension was not installed');
      await body(stage, rooms);
    } catch (error) {
      await stage.photograph(`zentao ${name}`);
      throw error;
    } finally {
      await stage.close();
    }
  });

  /** From ZenTao's login page through WeCom's, as a member with the phone. */
  async function scan(page, person = 'xiaoming') {
    await page.locator('#mashangScan').click();
    const { allow } = await WecomPage.panel(rooms.mashang.wechat, page).scan(person);
    await allow();
  }

  shown('the administrator installs the zip, and the button is on the login page', async (stage, { zentao, zip }) => {
    rooms.installing = true;
    const desk = await stage.desk();
    await zentao.signInByPassword(desk, zentao.admin, process.env.ZENTAO_PASSWORD);
    await zentao.install(desk, zip);
    const guest = await stage.desk();
    await guest.goto(zentao.loginPage());
    assert.equal(await guest.locator('#mashangScan').innerText(), '企业微信扫码登录');
    rooms.installed = true;
    console.log(`# ZenTao ${await zentao.version()}`);
  });

  shown('a member whom the administrator has bound scans and is in, in a session of a new id', async (stage, { zentao }) => {
    await fresh();
    await bindByAdmin();
    const desk = await stage.desk();
    await desk.goto(zentao.loginPage());
    const former = await zentao.sessionId(desk);
    await scan(desk);
    await zentao.isIn(desk, 'scan_one');
    assert.notEqual(await zentao.sessionId(desk), former);
    assert.equal(await zentao.sql("select visits from zt_user where account = 'scan_one'"), '2');
    assert.equal(await zentao.sql("select count(*) from zt_action where objectType = 'user' and action = 'login' and actor = 'scan_one'") > 0, true);
    await desk.reload();
    await zentao.isIn(desk, 'scan_one');
  });

  shown('an unbound member signs in once with the password, and from then on scans', async (stage, { zentao }) => {
    await fresh();
    const desk = await stage.desk();
    await desk.goto(zentao.loginPage());
    await scan(desk);
    await desk.locator('#mashangNotice').waitFor();
    assert.match(await desk.locator('#mashangNotice').innerText(), /王小明/);
    await zentao.fillPassword(desk, 'scan_two', PASSWORD);
    await desk.locator('#mashang[data-page="ask"]').waitFor();
    assert.equal(await zentao.sql("select count(*) from zt_oauth where providerType = 'mashang'"), '0', 'nobody is bound yet');
    await desk.locator('#mashang input[name="password"]').fill('not the password');
    await desk.locator('#mashang button').click();
    await desk.locator('#mashang [data-refusal="ask_password_wrong"]').waitFor();
    assert.equal(await zentao.sql("select fails from zt_user where account = 'scan_two'"), '1');
    assert.equal(await zentao.sql("select count(*) from zt_oauth where providerType = 'mashang'"), '0', 'nobody is bound without the password');
    await desk.locator('#mashang input[name="password"]').fill(PASSWORD);
    await desk.locator('#mashang button').click();
    await zentao.isIn(desk, 'scan_two');
    assert.equal(await zentao.sql("select fails from zt_user where account = 'scan_two'"), '0');
    assert.equal(await zentao.sql("select account from zt_oauth where providerType = 'mashang'"), 'scan_two');

    const another = await stage.desk();
    await another.goto(zentao.loginPage());
    await scan(another);
    await zentao.isIn(another, 'scan_two');
    assert.equal(await zentao.sql("select admins like '%scan_%' from zt_company limit 1"), '0', 'nobody became an administrator');
  });

  shown('installed again it is an upgrade, and people stay bound', async (stage, { zentao, zip }) => {
    const desk = await stage.desk();
    await zentao.signInByPassword(desk, zentao.admin, process.env.ZENTAO_PASSWORD);
    await zentao.install(desk, zip);
    assert.equal(await zentao.sql("select account from zt_oauth where providerType = 'mashang'"), 'scan_two');
    const person = await stage.desk();
    await person.goto(zentao.loginPage());
    await scan(person);
    await zentao.isIn(person, 'scan_two');
  });

  shown('unbound by the administrator, the member is asked again', async (stage, { zentao }) => {
    await zentao.sql("delete from zt_oauth where providerType = 'mashang' and account = 'scan_two'");
    const desk = await stage.desk();
    await desk.goto(zentao.loginPage());
    await scan(desk);
    await desk.locator('#mashangNotice').waitFor();
    assert.equal(await zentao.whoami(desk), 'guest');
  });

  shown('a deleted account is refused', async (stage, { zentao }) => {
    await fresh();
    await bindByAdmin();
    await zentao.sql("update zt_user set deleted = '1' where account = 'scan_one'");
    const desk = await stage.desk();
    await desk.goto(zentao.loginPage());
    await scan(desk);
    await desk.locator('#mashang[data-page="disabled"]').waitFor();
    assert.equal(await zentao.whoami(desk), 'guest');
  });

  shown('a member who has left the company is refused at Mashang', async (stage, { zentao, mashang }) => {
    await fresh();
    await bindByAdmin();
    await mashang.member('XiaoMing', { status: 'left' });
    try {
      const desk = await stage.desk();
      await desk.goto(zentao.loginPage());
      await scan(desk);
      await desk.frameLocator('iframe[data-frame]').getByRole('heading').first().waitFor();
      assert.ok(desk.url().startsWith(mashang.server.url));
      assert.equal(await zentao.whoami(desk), 'guest');
    } finally {
      await mashang.member('XiaoMing', { status: 'active' });
    }
  });

  shown('a page deep inside is reached after scanning', async (stage, { zentao }) => {
    await fresh();
    await bindByAdmin();
    const desk = await stage.desk();
    await desk.goto(zentao.address('my', 'todo'));
    await desk.locator('#mashangScan').waitFor();
    await scan(desk);
    await zentao.isIn(desk, 'scan_one');
    await desk.waitForURL(/todo/);
  });

  shown('the other way to write addresses', async (stage, { zentao }) => {
    await fresh();
    await bindByAdmin();
    const former = await zentao.writeAddresses('other');
    try {
      const desk = await stage.desk();
      await desk.goto(zentao.loginPage());
      await scan(desk);
      await zentao.isIn(desk, 'scan_one');
      await fresh();
      const unbound = await stage.desk();
      await unbound.goto(zentao.loginPage());
      await scan(unbound);
      await unbound.locator('#mashangNotice').waitFor();
      await zentao.fillPassword(unbound, 'scan_three', PASSWORD);
      await unbound.locator('#mashang input[name="password"]').fill(PASSWORD);
      await unbound.locator('#mashang button').click();
      await zentao.isIn(unbound, 'scan_three');
    } finally {
      await zentao.writeAddresses(former);
    }
  });

  shown('with Mashang down the button leads to a page that says so, and the password signs in', async (stage, { zentao, mashang }) => {
    await fresh();
    await mashang.server.running.stop();
    const desk = await stage.desk();
    await desk.goto(zentao.loginPage());
    await desk.locator('#mashangScan').click();
    await desk.locator('#mashang[data-page="unreachable"]').waitFor();
    await desk.locator('#mashang a', { hasText: '用账号密码登录' }).click();
    await zentao.fillPassword(desk, 'scan_three', PASSWORD);
    await zentao.isIn(desk, 'scan_three');
  });
});
