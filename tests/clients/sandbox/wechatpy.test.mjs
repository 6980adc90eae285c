/** wechatpy from PyPI, unmodified, under Tencent's own host names. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { after, before, test } from 'node:test';

import { python } from '../python.mjs';
import { Program, openAndAllow, scanAndAllow, startNamedSandbox } from './support.mjs';

const TOKEN = 'wechatpyToken1';
// The last character has trailing bits, as three of four real keys have.
const AES_KEY = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG';

let sandbox;
let library;
before(async () => {
  sandbox = await startNamedSandbox();
  library = new Program(python(), 'wechatpy_client.py', sandbox);
}, { timeout: 180_000 });
after(async () => {
  await library?.stop();
  await sandbox?.stop();
});

test('web authorization: address, code, profile in Chinese, check, refresh', async () => {
  const app = { ...sandbox.official, scope: 'snsapi_userinfo' };
  const url = await library.ask('authorize_url', app);
  assert.ok(url.startsWith('https://open.weixin.qq.com/connect/oauth2/authorize?appid='), url);
  assert.ok(url.endsWith('&response_type=code&scope=snsapi_userinfo&state=state-1#wechat_redirect'), url);
  const back = await openAndAllow(sandbox, url, 'xiaoming');
  assert.equal(back.searchParams.get('state'), 'state-1');
  assert.equal(back.searchParams.get('x'), '1');
  const token = await library.ask('exchange', { ...app, code: back.searchParams.get('code') });
  const { openids, unionids } = await sandbox.wechat.person('xiaoming');
  assert.equal(token.openid, openids[app.appid]);
  const profile = await library.ask('profile', { ...app, ...token });
  assert.equal(profile.nickname, '小明');
  assert.ok(Object.values(unionids).includes(profile.unionid));
  assert.equal(await library.ask('check', { ...app, ...token }), true);
  const renewed = await library.ask('refresh', { ...app, ...token });
  assert.equal(renewed.openid, token.openid);
  await assert.rejects(library.ask('exchange', { ...app, code: back.searchParams.get('code') }), /40163/);
  assert.deepEqual((await sandbox.wechat.call('/warnings')).warnings, [], 'it sends nothing that WeChat might refuse');
});

test('website login: the QR page takes its address, and the code its exchange', async () => {
  const app = { ...sandbox.website, scope: 'snsapi_login' };
  const back = await scanAndAllow(sandbox, await library.ask('qrconnect_url', app), 'xiaohong');
  const token = await library.ask('exchange', { ...app, code: back.searchParams.get('code') });
  assert.equal((await library.ask('profile', { ...app, ...token })).nickname, '小红');
});

test('official account: token, parametric code with its picture, follower', async () => {
  const app = sandbox.official;
  assert.ok(await library.ask('access_token', app));
  const data = { expire_seconds: 300, action_name: 'QR_STR_SCENE', action_info: { scene: { scene_str: 'login_1' } } };
  const code = await library.ask('qrcode', { ...app, data });
  assert.equal(code.expire_seconds, 300);
  assert.ok((await library.ask('qrcode_url', { ...app, ticket: code.ticket })).startsWith('https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket='));
  assert.equal(await library.ask('qrcode_picture', { ...app, ticket: code.ticket }), 'ffd8ff', 'a JPEG');
  await assert.rejects(library.ask('qrcode', { ...app, data: { action_name: 'QR_STR_SCENE' } }), /4\d{4}/);
  const { openids } = await sandbox.wechat.person('ada');
  const stranger = await library.ask('follower', { ...app, openid: openids[app.appid] });
  assert.equal(stranger.subscribe, 0);
});

/** A site's server: what the sandbox sends it, in order; GETs are answered by the library. */
async function siteServer(appid) {
  const heard = [];
  let wake = () => {};
  const server = createServer(async (request, answer) => {
    const query = Object.fromEntries(new URL(request.url, 'http://site').searchParams);
    let body = '';
    for await (const piece of request) body += piece;
    if (request.method === 'GET') {
      const echo = query.msg_signature
        ? await library.ask('echo', { appid, token: TOKEN, aes_key: AES_KEY, query })
        : query.echostr;
      return answer.end(echo);
    }
    answer.end('');
    heard.push({ query, body });
    wake();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/events`,
    async next() {
      while (!heard.length) await new Promise((done) => { wake = done; });
      return heard.shift();
    },
    stop: () => new Promise((done) => { server.close(done); }),
  };
}

test('a scan of the parametric code arrives as an event that it decrypts and reads', async () => {
  const app = sandbox.official;
  const site = await siteServer(app.appid);
  const settings = { url: site.url, token: TOKEN, aes_key: AES_KEY, mode: 'secure' };
  await sandbox.wechat.call(`/apps/${app.appid}/events`, settings);
  const data = { expire_seconds: 300, action_name: 'QR_STR_SCENE', action_info: { scene: { scene_str: 'login_2' } } };
  const code = await library.ask('qrcode', { ...app, data });
  await sandbox.wechat.call('/scan', { url: code.url, person: 'xiaohong' });
  const posted = await site.next();
  const message = await library.ask('decrypt', { ...app, ...posted, token: TOKEN, aes_key: AES_KEY });
  assert.equal(message.type, 'event');
  assert.equal(message.event, 'subscribe_scan', 'a stranger follows through the code');
  assert.match(message.text, /qrscene_login_2/);
  const { openids } = await sandbox.wechat.person('xiaohong');
  assert.equal(message.source, openids[app.appid]);
  const forged = { ...posted, query: { ...posted.query, msg_signature: '0'.repeat(40) } };
  await assert.rejects(library.ask('decrypt', { ...app, ...forged, token: TOKEN, aes_key: AES_KEY }), /InvalidSignature/);
  await site.stop();
});

test('WeCom: token, silent OAuth, member, openid both ways, errors with their number', async () => {
  const { corpid: appid, secret, agentid } = sandbox.corp;
  const corp = { appid, secret };
  const url = await library.ask('corp_authorize_url', corp);
  const back = await openAndAllow(sandbox, url, 'xiaoming');
  const user = await library.ask('corp_user', { ...corp, code: back.searchParams.get('code') });
  assert.equal(user.UserId, 'XiaoMing');
  await assert.rejects(library.ask('corp_user', { ...corp, code: back.searchParams.get('code') }), /40029/);
  const member = await library.ask('member', { ...corp, userid: 'xiaoming' });
  assert.deepEqual([member.userid, member.name, member.department], ['XiaoMing', '王小明', [2]]);
  const openid = await library.ask('member_openid', { ...corp, userid: 'XiaoMing' });
  assert.equal(await library.ask('member_by_openid', { ...corp, openid }), 'XiaoMing');
  await assert.rejects(library.ask('member', { ...corp, userid: 'xiaohong' }), /60011/);
  await sandbox.wechat.call(`/wecom/corps/${appid}/agents/${agentid}`, { trusted_ips: ['203.0.113.7'] });
  await assert.rejects(library.ask('member', { ...corp, userid: 'xiaoming' }), /60020.*from ip: 127\.0\.0\.1/);
  await sandbox.wechat.call(`/wecom/corps/${appid}/agents/${agentid}`, { trusted_ips: [] });
});

test('WeCom: a leaver arrives as an event that it decrypts', async () => {
  const { corpid: appid } = sandbox.corp;
  const site = await siteServer(appid);
  await sandbox.wechat.call(`/wecom/corps/${appid}/events`, { url: site.url, token: TOKEN, aes_key: AES_KEY });
  await sandbox.wechat.call(`/wecom/corps/${appid}/members/plain.zhao`, { status: 'left' });
  const posted = await site.next();
  const message = await library.ask('decrypt', { appid, ...posted, token: TOKEN, aes_key: AES_KEY });
  assert.match(message.text, /<ChangeType><!\[CDATA\[delete_user\]\]><\/ChangeType><UserID><!\[CDATA\[plain.zhao\]\]>/);
  assert.equal(message.source, 'sys');
  await site.stop();
});
