/** social-auth-core's two weixin backends from PyPI, unmodified, under Tencent's own host names. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { python } from '../python.mjs';
import { Program, openAndAllow, scanAndAllow, startNamedSandbox } from './support.mjs';

let sandbox;
let library;
before(async () => {
  sandbox = await startNamedSandbox();
  library = new Program(python(), 'social_auth_client.py', sandbox);
}, { timeout: 180_000 });
after(async () => {
  await library?.stop();
  await sandbox?.stop();
});

const queryOf = (url) => Object.fromEntries(url.searchParams);

test('weixin: QR login ends in openid, and in a nickname that survives the answer without a charset', async () => {
  const url = await library.ask('begin', { backend: 'weixin', ...sandbox.website });
  const sent = new URL(url);
  assert.equal(sent.origin + sent.pathname, 'https://open.weixin.qq.com/connect/qrconnect');
  assert.deepEqual([...sent.searchParams.keys()], ['appid', 'redirect_uri', 'state', 'response_type', 'scope']);
  const back = await scanAndAllow(sandbox, url, 'xiaoming');
  const person = await library.ask('complete', { backend: 'weixin', query: queryOf(back) });
  const { openids } = await sandbox.wechat.person('xiaoming');
  assert.equal(person.uid, openids[sandbox.website.appid]);
  assert.equal(person.details.username, '小明', 'it undoes Latin-1, which text/plain without a charset means to it');
  assert.match(person.details.profile_image_url, /thirdwx\.qlogo\.cn\/mmopen\/vi_32\/\w+\/132$/);
});

test('weixin: a spent code is named with its number', async () => {
  const url = await library.ask('begin', { backend: 'weixin', ...sandbox.website });
  const query = queryOf(await scanAndAllow(sandbox, url, 'ada'));
  await library.ask('complete', { backend: 'weixin', query });
  const again = await library.ask('begin', { backend: 'weixin', ...sandbox.website });
  const state = new URL(again).searchParams.get('state');
  await assert.rejects(library.ask('complete', { backend: 'weixin', query: { ...query, state } }), /AuthProviderError 40163/);
});

test('weixinapp: its parameters come in the order which WeChat demands, and nothing else is wrong with them', async () => {
  const url = await library.ask('begin', { backend: 'weixinapp', ...sandbox.official, scope: ['snsapi_userinfo'] });
  assert.ok(url.endsWith('#wechat_redirect'), url);
  const back = await openAndAllow(sandbox, url, 'xiaohong');
  const person = await library.ask('complete', { backend: 'weixinapp', query: queryOf(back) });
  assert.equal(person.details.username, '小红');
  const { warnings } = await sandbox.wechat.call('/warnings');
  assert.deepEqual(warnings, []);
});
