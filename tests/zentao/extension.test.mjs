/**
 * The extension's own files, driven by a stand-in for ZenTao against a real Mashang and the sandbox's WeCom. What only a
 * real ZenTao can show is in `zentao.test.mjs`.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { startComputer } from '../support/computer.mjs';
import { DESKTOP, Jar, attribute, location } from '../support/jar.mjs';
import { HERE, allowed, freePort, php, phpFiles, phpMissing, scan, startMashang, startStub, unzip } from './support.mjs';

const skip = phpMissing();
const md5OfPassword = '5f4dcc3b5aa765d61d8327deb882cf99';
const CORP_WEBHOOK = 7;

test('every PHP file parses', { skip }, async () => {
  const files = await phpFiles();
  assert.ok(files.length > 12, files.join());
  for (const file of files) await php({}, '-l', file);
});

test('an issuer that lies signs nobody in', { skip }, async () => {
  const told = JSON.parse(await php({}, join(HERE, 'oidc_cases.php')));
  const honest = ['honest', 'several audiences, authorised', 'clock a little behind', 'no kid, one key', 'a scan after half an hour'];
  const expected = {
    stale: ['state of somebody else', 'no state', 'state as a list', 'flow too old', 'empty flow', 'no code', 'code used before'],
    denied: ['person turned back'],
    settings: ['client unknown', 'secret wrong', 'issuer calls itself otherwise'],
    unreachable: ['token endpoint broken', 'discovery is no object'],
  };
  for (const [name, outcome] of Object.entries(told)) {
    const word = Object.keys(expected).find((reason) => expected[reason].includes(name)) ?? 'untrusted';
    assert.equal(outcome, honest.includes(name) ? 'signed in as sub-1' : word, name);
  }
  assert.ok(Object.keys(told).length > 40);
});

test('SEC-35 a userid counts together with the corp of the same sign-in only, and not for an account that its person bound', { skip }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mashang-zentao-'));
  const webhook = (id, corp) => ({ id, type: 'wechatuser', deleted: '0', secret: JSON.stringify({ appKey: corp }) });
  const row = (account, openID, providerType, providerID) => ({ account, openID, providerType, providerID });
  try {
    const data = join(folder, 'tables.json');
    await writeFile(data, JSON.stringify({
      webhook: [webhook(1, 'wwHere'), webhook(2, 'wwThere')],
      oauth: [row('zhangsan', 'ZhangSan', 'webhook', 1), row('lisi', 'LiSi', 'webhook', 1), row('lisi', 'sub-of-lisi', 'mashang', 0)],
    }));
    const cases = {
      member: { sub: 'a', wecom_corpid: 'wwHere', wecom_userid: 'zhangsan', userid: 'zhangsan' },
      'outsider here, member elsewhere': { sub: 'b', wecom_corpid: 'wwHere', userid: 'ZhangSan' },
      'member elsewhere': { sub: 'c', wecom_corpid: 'wwThere', wecom_userid: 'ZhangSan', userid: 'ZhangSan' },
      'by another way': { sub: 'd', userid: 'ZhangSan' },
      'of an account that was bound since': { sub: 'e', wecom_corpid: 'wwHere', wecom_userid: 'LiSi' },
      'who bound it': { sub: 'sub-of-lisi', wecom_corpid: 'wwHere', wecom_userid: 'LiSi2' },
    };
    const told = JSON.parse(await php({ STUB_DATA: data }, join(HERE, 'bindings_cases.php'), JSON.stringify(cases)));
    assert.deepEqual(told, {
      member: 'zhangsan', 'outsider here, member elsewhere': null, 'member elsewhere': null, 'by another way': null,
      'of an account that was bound since': null, 'who bound it': 'lisi',
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

describe('with a Mashang', { skip }, () => {
  const rooms = {};
  const jar = () => new Jar({ 'user-agent': DESKTOP });

  before(async () => {
    const port = await freePort();
    rooms.tree = await mkdtemp(join(tmpdir(), 'mashang-zentao-'));
    rooms.mashang = await startMashang();
    rooms.zip = join(rooms.tree, 'mashang.zip');
    rooms.said = await rooms.mashang.plugin(`http://127.0.0.1:${port}`, rooms.zip);
    await unzip(rooms.zip, rooms.tree);
    rooms.zentao = await startStub(rooms.tree, tables(rooms.mashang.corpid), { port });
  });
  after(async () => {
    await rooms.zentao?.stop();
    await rooms.mashang?.stop();
    if (rooms.tree) await rm(rooms.tree, { recursive: true, force: true });
  });

  /** Fresh tables for each test. */
  const tables = (corpid) => {
    const person = (account, deleted = '0') => ({ account, password: md5OfPassword, deleted, last: 0, visits: 1 });
    return {
      user: [person('zhangsan'), person('lisi'), person('gone', '1')],
      webhook: [
        { id: CORP_WEBHOOK, type: 'wechatuser', deleted: '0', secret: JSON.stringify({ agentId: '1', appKey: corpid, appSecret: 's' }) },
        { id: 8, type: 'wechatuser', deleted: '0', secret: JSON.stringify({ agentId: '1', appKey: 'wwAnotherCorp', appSecret: 's' }) },
        { id: 9, type: 'wechatuser', deleted: '1', secret: JSON.stringify({ agentId: '1', appKey: corpid, appSecret: 's' }) },
      ],
      oauth: [],
    };
  };
  const bound = (account, openID = 'xiaoming', providerID = CORP_WEBHOOK) => ({ account, openID, providerType: 'webhook', providerID });
  const given = async (oauth = []) => {
    await writeFile(rooms.zentao.data, JSON.stringify({ ...tables(rooms.mashang.corpid), oauth }));
  };
  const rows = async () => JSON.parse(await readFile(rooms.zentao.data, 'utf8')).oauth;
  const whoami = async (browser) => (await browser.get(`${rooms.zentao.url}/my-index.html`)).json();
  const page = async (answer) => attribute(await answer.text(), /<main id="mashang" data-page="([^"]+)"/);
  const signIn = (browser, person = 'xiaoming') => scan(rooms.mashang, rooms.zentao, browser, person);

  test('the zip says what was done and is for its owner alone', () => {
    assert.match(rooms.said, /sso-scancallback\.html/);
    assert.match(rooms.said, /index\.php\?m=sso&f=scancallback/);
    assert.match(rooms.said, /tab\s+wecom/);
    assert.match(rooms.said, /open to\s+wecom\n/);
    assert.equal(statSync(rooms.zip).mode & 0o777, 0o600);
    assert.equal(rooms.said.includes(readFileSync(join(rooms.tree, 'mashang/config/ext/mashang.php'), 'utf8').match(/msk_[^']+/)[0]), false);
  });

  test('a member whom ZenTao\'s WeCom notifications know is signed in, in a session of a new id', async () => {
    await given([bound('zhangsan')]);
    const browser = jar();
    const former = (await whoami(browser)).session;
    const answer = await signIn(browser);
    assert.equal(await location(answer), `${rooms.zentao.url}/`);
    const now = await whoami(browser);
    assert.equal(now.account, 'zhangsan');
    assert.notEqual(now.session, former);
    assert.deepEqual(await rows(), [bound('zhangsan')], 'nothing is written where a binding exists');

    const fixed = jar();
    fixed.cookies.set('zentaosid', former);
    assert.equal((await whoami(fixed)).account, 'guest', 'the id from before is worth nothing');
  });

  test('SEC-35 the same userid in another corp, or of a deleted webhook, is nobody', async () => {
    for (const webhook of [8, 9, 12]) {
      await given([bound('zhangsan', 'XiaoMing', webhook)]);
      const browser = jar();
      assert.match(await location(await signIn(browser)), /user-login-/, `webhook ${webhook}`);
      assert.equal((await whoami(browser)).account, 'guest');
    }
  });

  test('two accounts bound to one member are neither', async () => {
    await given([bound('zhangsan'), bound('lisi')]);
    const browser = jar();
    assert.match(await location(await signIn(browser)), /user-login-/);
    assert.equal((await whoami(browser)).account, 'guest');
  });

  test('SEC-38 a name is no binding', async () => {
    await given([bound('zhangsan', '王小明')]);
    const browser = jar();
    assert.match(await location(await signIn(browser)), /user-login-/);
  });

  test('a deleted account is refused, however it is bound', async () => {
    await given([bound('gone')]);
    const browser = jar();
    const answer = await signIn(browser);
    assert.equal(answer.status, 403);
    assert.equal(await page(answer), 'disabled');
    assert.equal((await whoami(browser)).account, 'guest');
  });

  test('SEC-38 an unbound member signs in once with the password, says yes, and from then on scans', async () => {
    await given();
    const browser = jar();
    const login = await location(await signIn(browser));
    const html = await (await browser.get(login)).text();
    assert.match(html, /\\u738b\\u5c0f\\u660e/, 'the login page says who scanned');

    const ask = await location(await browser.post(login, { account: 'lisi', password: 'password' }));
    assert.equal(ask, `${rooms.zentao.url}/sso-scanbind.html`);
    const asked = await (await browser.get(ask)).text();
    assert.match(asked, /王小明.*lisi/);
    assert.deepEqual(await rows(), [], 'looking binds nobody');

    const token = attribute(asked, /name="token" value="([^"]+)"/);
    assert.equal(await page(await browser.post(ask, { token: 'forged', password: 'password' })), 'ask');
    assert.deepEqual(await rows(), [], 'a form of somebody else binds nobody');
    assert.equal(await location(await browser.post(ask, { token, password: 'password' })), `${rooms.zentao.url}/`);
    const [row, ...more] = await rows();
    assert.deepEqual([row.account, row.providerType, more.length], ['lisi', 'mashang', 0]);
    assert.equal(await page(await browser.post(ask, { token, password: 'password' })), 'stale', 'once');

    const again = jar();
    assert.equal(await location(await signIn(again)), `${rooms.zentao.url}/`);
    assert.equal((await whoami(again)).account, 'lisi');
  });

  test('a wrong password binds nobody, and who has not scanned is asked nothing', async () => {
    await given();
    const browser = jar();
    const login = await location(await signIn(browser));
    assert.equal((await browser.post(login, { account: 'lisi', password: 'guess' })).status, 403);
    assert.equal(await location(await browser.get(`${rooms.zentao.url}/sso-scanbind.html`)), login);

    const stranger = jar();
    await stranger.post(`${rooms.zentao.url}/user-login-Lw==.html`, { account: 'lisi', password: 'password' });
    assert.equal(await page(await stranger.get(`${rooms.zentao.url}/sso-scanbind.html`)), 'stale');
    assert.deepEqual(await rows(), []);
  });

  test('SEC-38 who is signed in already is not bound without the password: a desk left alone gives nothing away', async () => {
    await given();
    const browser = jar();
    await browser.post(`${rooms.zentao.url}/user-login-Lw==.html`, { account: 'lisi', password: 'password' });
    const answer = await signIn(browser);
    assert.equal(await page(answer), 'unbound_signed_in');
    assert.equal(await page(await browser.get(`${rooms.zentao.url}/sso-scanbind.html`)), 'stale');
    assert.deepEqual(await rows(), []);
  });

  /** A member who scanned and is not bound, in a browser that `signsIn` brought in; what binding with each password leads to. */
  async function asked(browser, signsIn) {
    const login = await location(await signIn(browser));
    await signsIn(login);
    const ask = `${rooms.zentao.url}/sso-scanbind.html`;
    const html = await (await browser.get(ask)).text();
    const token = attribute(html, /name="token" value="([^"]+)"/);
    return async (password) => {
      const answer = await browser.post(ask, password === undefined ? { token } : { token, password });
      return answer.status === 302 ? 'bound' : attribute(await answer.text(), /data-refusal="([^"]+)"/);
    };
  }
  const byPassword = (browser) => (login) => browser.post(login, { account: 'lisi', password: 'password' });

  test('SEC-38 a session that ZenTao takes for signed in binds nobody without the password: neither 保持登录 nor an id from a link is one', async () => {
    await given();
    const desk = jar();
    await desk.post(`${rooms.zentao.url}/user-login-Lw==.html`, { account: 'lisi', password: 'password', keepLogin: '1' });
    const [za, zp] = ['za', 'zp'].map((name) => desk.cookies.get(name));
    assert.equal(zp.length, 40);

    const passerBy = jar();
    const bind = await asked(passerBy, async () => {
      passerBy.cookies.set('za', za);
      passerBy.cookies.set('zp', zp);
      assert.equal((await whoami(passerBy)).account, 'lisi', 'signed in by the cookies of the desk');
    });
    assert.equal(await bind(undefined), 'ask_password_missing');
    assert.equal(await bind(passerBy.cookies.get('zp')), 'ask_password_wrong', 'the cookie is not the password');
    const rand = attribute(await (await passerBy.get(`${rooms.zentao.url}/user-login-Lw==.html`)).text(), /name="verifyRand" value="([^"]+)"/);
    const scrambled = createHash('md5').update(md5OfPassword + rand).digest('hex');
    assert.equal(await bind(scrambled), 'ask_password_wrong', 'nor is what the login page makes of the hash');
    assert.equal(await bind(md5OfPassword), 'ask_password_wrong', 'nor is what the database holds');
    assert.deepEqual(await rows(), []);

    const stranger = jar();
    const bindFixed = await asked(stranger, async () => {
      const victim = jar();
      await victim.post(`${rooms.zentao.url}/user-login-Lw==.html?zentaosid=${stranger.cookies.get('zentaosid')}`, { account: 'zhangsan', password: 'password' });
      assert.equal((await whoami(stranger)).account, 'zhangsan', 'signed in by somebody else');
    });
    assert.equal(await bindFixed(undefined), 'ask_password_missing');
    assert.deepEqual(await rows(), []);
  });

  test('SEC-38 wrong passwords at binding count until the account is locked, and the right one ends the count', async () => {
    await given();
    const browser = jar();
    const bind = await asked(browser, byPassword(browser));
    for (let guess = 1; guess < 6; guess += 1) assert.equal(await bind(`guess ${guess}`), 'ask_password_wrong');
    assert.equal(await bind('guess 6'), 'ask_locked');
    assert.equal(await bind('password'), 'ask_locked', 'the right one waits too');
    assert.deepEqual(await rows(), []);

    const another = jar();
    const retry = await asked(another, byPassword(another));
    assert.equal(await retry('guess'), 'ask_password_wrong');
    assert.equal(await retry('password'), 'bound');
  });

  test('a password of any length and any characters binds, also where a plug-in asks elsewhere, and 保持登录 goes on', async () => {
    for (const ldap of [false, true]) for (const password of ['a&b=<script onclick>+%41', 'x'.repeat(32), 'y'.repeat(40), '密码 and more'.repeat(4)]) {
      await given();
      const data = JSON.parse(await readFile(rooms.zentao.data, 'utf8'));
      data.user[1].password = ldap ? '' : createHash('md5').update(password).digest('hex');
      if (ldap) data.user[1].ldap = password;
      await writeFile(rooms.zentao.data, JSON.stringify(data));
      const browser = jar();
      const bind = await asked(browser, (login) => browser.post(login, { account: 'lisi', password, keepLogin: '1' }));
      assert.equal(await bind(password), 'bound', password);
      assert.equal((await rows())[0].account, 'lisi');
      browser.cookies.delete('zentaosid');
      assert.equal((await whoami(browser)).account, 'lisi');
    }
  });

  test('whoever binds an account is told that another member loses it, by either kind of binding', async () => {
    const tells = async (oauth) => {
      await given(oauth);
      const browser = jar();
      await browser.post(await location(await signIn(browser)), { account: 'lisi', password: 'password' });
      return /将不能再用扫码登录它/.test(await (await browser.get(`${rooms.zentao.url}/sso-scanbind.html`)).text());
    };
    assert.equal(await tells([]), false);
    assert.equal(await tells([bound('zhangsan', 'ada')]), false, 'another account');
    assert.equal(await tells([bound('lisi', 'ada', 9)]), false, 'of a deleted webhook');
    assert.equal(await tells([bound('lisi', 'ada')]), true, 'by the administrator');
    assert.equal(await tells([{ account: 'lisi', openID: 'sub', providerType: 'mashang', providerID: 0 }]), true, 'by itself');
  });

  test('an answer works once, and only in the browser that asked', async () => {
    await given([bound('zhangsan')]);
    const browser = jar();
    const computer = await startComputer({ site: rooms.zentao }, '', browser);
    const onward = await allowed(rooms.mashang, computer, 'xiaoming');

    const stranger = jar();
    assert.equal(await page(await stranger.get(onward)), 'stale');
    assert.equal((await whoami(stranger)).account, 'guest');

    await browser.get(onward);
    assert.equal((await whoami(browser)).account, 'zhangsan');
    const repeated = await browser.get(onward);
    assert.equal(repeated.status, 400);
    assert.equal(await page(repeated), 'stale');
  });

  test('who turns back is told so, and two tabs do not disturb each other', async () => {
    await given([bound('zhangsan')]);
    const browser = jar();
    const first = await startComputer({ site: rooms.zentao }, '', browser);
    const second = await startComputer({ site: rooms.zentao }, '', browser);
    const state = new URL(first.authorize).searchParams.get('state');
    const back = `${rooms.zentao.url}/sso-scancallback.html?${new URLSearchParams({ error: 'access_denied', state, iss: rooms.mashang.server.url })}`;
    assert.equal(await page(await browser.get(back)), 'denied');
    await browser.get(await allowed(rooms.mashang, second, 'xiaoming'));
    assert.equal((await whoami(browser)).account, 'zhangsan');
  });

  test('afterwards the person is where they wanted to go, if that is here', async () => {
    await given([bound('zhangsan')]);
    const safe64 = (text) => Buffer.from(text).toString('base64').replaceAll('/', '.');
    for (const [referer, home] of [
      ['/bug-view-12.html', '/bug-view-12.html'], ['https://evil.example/', '/'], ['//evil.example/', '/'], ['/\\evil.example/', '/'],
      ['/user-logout.html', '/'], ['javascript:alert(1)', '/'], ['', '/'],
    ]) {
      const browser = jar();
      const query = `?${new URLSearchParams({ referer: safe64(referer) })}`;
      const computer = await startComputer({ site: rooms.zentao }, query, browser);
      const answer = await browser.get(await allowed(rooms.mashang, computer, 'xiaoming'));
      assert.equal(await location(answer), rooms.zentao.url + home, referer);
    }
  });

  test('SEC-35 a member who has left signs in nowhere', async () => {
    await given([bound('zhangsan')]);
    await rooms.mashang.member('XiaoMing', { status: 'left' });
    try {
      const browser = jar();
      await assert.rejects(signIn(browser), /no redirect but 50/, 'Mashang sends nobody back');
      assert.equal((await whoami(browser)).account, 'guest');
    } finally {
      await rooms.mashang.member('XiaoMing', { status: 'active' });
    }
  });

  test('PHP without curl, and a person who reads English', async () => {
    await given([bound('zhangsan')]);
    const port = await freePort();
    const tree = await mkdtemp(join(tmpdir(), 'mashang-zentao-'));
    await rooms.mashang.plugin(`http://127.0.0.1:${port}`, join(tree, 'mashang.zip'), ['--register', '--client', 'zentao-2']);
    await unzip(join(tree, 'mashang.zip'), tree);
    const settings = { port, language: 'en', php: ['-d', 'disable_functions=curl_init'] };
    const zentao = await startStub(tree, { ...tables(rooms.mashang.corpid), oauth: [bound('zhangsan')] }, settings);
    try {
      const browser = jar();
      assert.match(await (await browser.get(`${zentao.url}/user-login.html`)).text(), /Sign in with WeCom/);
      assert.equal(await location(await scan(rooms.mashang, zentao, browser, 'xiaoming')), `${zentao.url}/`);
      assert.match(await (await browser.get(`${zentao.url}/sso-scanbind.html`)).text(), /This scan is over/);
    } finally {
      await zentao.stop();
      await rm(tree, { recursive: true, force: true });
    }
  });

  test('nothing of this was a warning of PHP\'s', async () => {
    const lines = (await readFile(rooms.zentao.errors, 'utf8').catch(() => '')).split('\n');
    assert.deepEqual(lines.filter((line) => /PHP (Warning|Notice|Deprecated|Fatal)/.test(line)), []);
    assert.deepEqual(lines.filter((line) => /msk_|eyJ|XiaoMing/.test(line)), [], 'no secret, token or member in the log');
  });

  test('a registered client needs its secret, and is told what does not fit', async () => {
    const file = join(rooms.tree, 'secret');
    const secret = readFileSync(join(rooms.tree, 'mashang/config/ext/mashang.php'), 'utf8').match(/msk_[^']+/)[0];
    const out = join(rooms.tree, 'again.zip');
    const more = ['--secret-file', file];
    await writeFile(file, `${secret}\n`);
    await rooms.mashang.plugin(rooms.zentao.url, out, more);
    await assert.rejects(rooms.mashang.plugin('https://elsewhere.example', out, more), /not registered for zentao/);
    await writeFile(file, 'msk_wrong');
    await assert.rejects(rooms.mashang.plugin(rooms.zentao.url, out, more), /not the secret of zentao/);
    await assert.rejects(rooms.mashang.plugin('http://zt.example', out), /must be https/);
    await assert.rejects(rooms.mashang.plugin(rooms.zentao.url, out, ['--register', '--channel', 'none']), /no \[channel\.none\]/);
  });

  test('while Mashang is down there is a page that says so, and the login page is whole', async () => {
    await rooms.mashang.server.running.stop();
    const browser = jar();
    const answer = await browser.get(`${rooms.zentao.url}/sso-scanlogin.html`);
    assert.equal(answer.status, 503);
    assert.equal(await page(answer), 'unreachable');
    assert.match(await (await browser.get(`${rooms.zentao.url}/user-login.html`)).text(), /loginForm[\s\S]*mashangScan/);
    assert.match(await location(await browser.post(`${rooms.zentao.url}/user-login-Lw==.html`, { account: 'lisi', password: 'password' })), /\/$/);
    assert.equal((await whoami(browser)).account, 'lisi');
  });
});
