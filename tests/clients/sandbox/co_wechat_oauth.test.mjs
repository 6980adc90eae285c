/** co-wechat-oauth from npm, unmodified, under Tencent's own host names. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Program, openAndAllow, scanAndAllow, startNamedSandbox } from './support.mjs';

let sandbox;
let library;
before(async () => {
  sandbox = await startNamedSandbox();
  library = new Program(process.execPath, 'co_wechat_oauth_client.cjs', sandbox);
});
after(async () => {
  await library?.stop();
  await sandbox?.stop();
});

test('website login by QR, up to the profile', async () => {
  const url = await library.ask('websiteUrl', sandbox.website);
  const back = await scanAndAllow(sandbox, url, 'xiaoming');
  const user = await library.ask('user', { ...sandbox.website, code: back.searchParams.get('code') });
  const { openids } = await sandbox.wechat.person('xiaoming');
  assert.deepEqual([user.openid, user.nickname], [openids[sandbox.website.appid], '小明']);
});

test('web authorization with refresh and check; errors carry their number', async () => {
  const app = sandbox.official;
  const url = await library.ask('authorizeUrl', { ...app, scope: 'snsapi_userinfo' });
  assert.ok(url.endsWith('#wechat_redirect'), url);
  const back = await openAndAllow(sandbox, url, 'ada');
  const code = back.searchParams.get('code');
  const token = await library.ask('token', { ...app, code });
  assert.equal((await library.ask('verify', { ...app, ...token })).errcode, 0);
  assert.equal((await library.ask('refresh', { ...app, ...token })).openid, token.openid);
  await assert.rejects(library.ask('token', { ...app, code }), /40163/);
  await assert.rejects(library.ask('token', { appid: app.appid + '0', secret: 'x', code }), /40013/);
});
