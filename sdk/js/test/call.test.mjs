/** What callers get: callbacks, failures, the way by redirect, sizes of the language and of the package. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { afterEach, beforeEach, test } from 'node:test';

import ts from 'typescript';

import { failure, isPassing, REASONS } from '../src/failure.js';
import { finishRedirect, redirectLogin, scanLogin } from '../src/mashang.js';
import { challenge, prepare } from '../src/pkce.js';
import { ink } from '../src/style.js';
import { ISSUER } from './server.mjs';
import { World } from './world.mjs';

let world;
beforeEach(() => { world = new World(() => ({ status: 404 })); });
afterEach(() => world.restore());

const OPTIONS = { issuer: `${ISSUER}/`, clientId: 'site', redirectUri: 'https://site.example/cb' };

test('the challenge is that of RFC 7636, appendix B', async () => {
  assert.equal(await challenge('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'), 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM');
});

test('a verifier is 43 letters that nobody can guess, and no two are alike', async () => {
  const made = await Promise.all(Array.from({ length: 20 }, () => prepare({})));
  assert.equal(new Set(made.flatMap(({ state, nonce, codeVerifier }) => [state, nonce, codeVerifier])).size, 60);
  assert.ok(made.every(({ codeVerifier }) => /^[\w-]{43}$/.test(codeVerifier)));
});

test('a failure is an Error and what uni.login fails with, and its numbers stay', () => {
  const failed = failure('denied', 'by Ming');
  assert.ok(failed instanceof Error);
  const { errMsg, errCode, reason } = failed;
  assert.deepEqual({ errMsg, errCode, reason }, { errMsg: 'login:fail denied: by Ming', errCode: 1002, reason: 'denied' });
  assert.deepEqual(REASONS, ['cancelled', 'denied', 'wrong_number', 'expired', 'timeout', 'refused', 'network', 'server',
    'not_allowed', 'invalid_request', 'mismatch', 'insecure_context', 'unsupported']);
  assert.deepEqual(REASONS.filter((each) => !isPassing(failure(each))), REASONS.slice(8));
});

test('without a document it is not supported, and the callbacks hear of it: fail, then complete', async () => {
  const heard = [];
  const outcome = scanLogin({
    ...OPTIONS,
    success: () => heard.push('success'),
    fail: ({ reason }) => { heard.push(`fail ${reason}`); },
    complete: ({ errCode }) => heard.push(`complete ${errCode}`),
  });
  await assert.rejects(outcome, { reason: 'unsupported', errMsg: 'login:fail unsupported' });
  await world.settle();
  assert.deepEqual(heard, ['fail unsupported', 'complete 1013']);
});

test('with success and fail only, a failure is not unhandled', async () => {
  const heard = [];
  const note = (error) => heard.push(error);
  process.on('unhandledRejection', note);
  const caught = scanLogin({ ...OPTIONS, success: note, fail: ({ reason }) => { heard.push(reason); } });
  await assert.rejects(caught);
  await world.settle();
  process.off('unhandledRejection', note);
  assert.deepEqual(heard, ['unsupported']);
});

test('what is written on a colour can be read', () => {
  assert.deepEqual(['#1677ff', '#07c160', '#0b57d0', '#000000', '#ffffff'].map(ink), ['#000', '#000', '#fff', '#fff', '#000']);
});

test('a redirect keeps the verifier in this tab and asks for a code', async () => {
  redirectLogin({ ...OPTIONS, provider: 'wechat', lang: 'zh-CN' });
  await world.settle();
  const url = new URL(world.left);
  assert.equal(url.origin + url.pathname, `${ISSUER}/authorize`);
  const query = Object.fromEntries(url.searchParams);
  const kept = JSON.parse(world.kept.get(`mashang:${query.state}`));
  assert.equal(createHash('sha256').update(kept.codeVerifier).digest('base64url'), query.code_challenge);
  assert.equal(query.redirect_uri, 'https://site.example/cb');
  assert.equal(query.login_hint, 'wechat');
  assert.equal(query.ui_locales, 'zh-CN');
  assert.equal(query.response_type, 'code');
});

test('who goes back to the page as it was has given up; before that, and for a page that is new, nothing is told', async () => {
  const told = [];
  redirectLogin(OPTIONS).catch((failed) => told.push(failed.errMsg));
  await world.settle();
  world.window.tell('pageshow', { persisted: false });
  await world.settle();
  assert.deepEqual(told, []);
  world.window.tell('pageshow', { persisted: true });
  await world.settle();
  assert.deepEqual(told, ['login:fail cancelled']);
});

test('in a frame the whole page goes, and where that is somebody else’s the call fails at once', async () => {
  const frame = globalThis.location;
  globalThis.top = { location: { assign: (to) => { world.leftWhole = to; } } };
  redirectLogin(OPTIONS);
  await world.settle();
  assert.match(world.leftWhole, /^https:\/\/login\.example\/authorize\?/);
  assert.equal(world.left, undefined);
  globalThis.top = { get location() { throw new Error('SecurityError'); } };
  await assert.rejects(redirectLogin(OPTIONS), { reason: 'unsupported', detail: 'in a frame of another origin, or without storage' });
  assert.equal(globalThis.location, frame);
});

test('where there is no browser, nobody comes back and nobody can leave', async () => {
  delete globalThis.document;
  delete globalThis.location;
  assert.equal(await finishRedirect(), null);
  await assert.rejects(redirectLogin(OPTIONS), { reason: 'unsupported' });
});

/** Leaves, and comes back to `address` with these parameters. */
async function comeBack(address, more = {}) {
  redirectLogin({ ...OPTIONS, state: 'st' });
  await world.settle();
  const query = new URLSearchParams({ code: 'c', state: 'st', iss: ISSUER, ...more });
  globalThis.location.href = address.replace('?', `?${query}&`).replace(/[&?]$/, '');
  return finishRedirect();
}

test('coming back gives the result once and leaves a clean address', async () => {
  const result = await comeBack('https://site.example/cb?tab=2#/home');
  assert.equal(result.code, 'c');
  assert.equal(result.state, 'st');
  assert.equal(result.issuer, ISSUER);
  assert.equal(result.redirectUri, 'https://site.example/cb');
  assert.match(result.codeVerifier, /^[\w-]{43}$/);
  assert.equal(globalThis.location.href, 'https://site.example/cb?tab=2#/home');
  assert.equal(world.kept.size, 0);
  globalThis.location.href = 'https://site.example/cb?code=c&state=st';
  assert.equal(await finishRedirect(), null, 'a reload, or the back button, replays nothing');
});

test('a hash router that moved the query is read as well', async () => {
  const result = await comeBack('https://site.example/#/login?tab=2');
  assert.equal(result.code, 'c');
  assert.equal(globalThis.location.href, 'https://site.example/#/login?tab=2');
});

test('coming back with a refusal or from another issuer fails, with a clean address', async () => {
  await assert.rejects(comeBack('https://site.example/cb?', { error: 'access_denied', code: '' }), { reason: 'denied' });
  assert.equal(globalThis.location.href, 'https://site.example/cb');
  await assert.rejects(comeBack('https://site.example/cb?', { iss: 'https://evil.example' }), { reason: 'mismatch' });
});

test('parameters that are not ours stay, and a state that nobody was sent away with is nothing', async () => {
  for (const href of ['https://site.example/', 'https://site.example/?code=c&state=unknown', 'https://site.example/?code=promo']) {
    globalThis.location.href = href;
    assert.equal(await finishRedirect(), null);
    assert.equal(globalThis.location.href, href);
  }
});

test('in a mini-program and in the app it is uni.login, with its callbacks and its own result', async () => {
  const { login } = await import('../src/uni.js');
  const heard = [];
  globalThis.uni = { login: ({ provider, success, fail }) => (provider === 'weixin' ? success({ code: 'wx' }) : fail({ errMsg: 'login:fail' })) };
  try {
    const h5 = { issuer: ISSUER, clientId: 'site' };
    assert.deepEqual(await login({ provider: 'weixin', h5, success: ({ code }) => heard.push(code), complete: () => heard.push('complete') }), { code: 'wx' });
    await assert.rejects(login({ provider: 'qq', h5 }), { errMsg: 'login:fail' });
    await world.settle();
    assert.deepEqual(heard, ['wx', 'complete']);
  } finally {
    delete globalThis.uni;
  }
  await assert.rejects(login({ provider: 'weixin' }), { reason: 'unsupported' });
});

// ---- the files themselves ----

const SRC = new URL('../src/', import.meta.url);
const files = (await readdir(SRC)).filter((name) => name.endsWith('.js'));

test('every file is ES2019: compiling it down changes nothing', async () => {
  for (const name of files) {
    const text = await readFile(new URL(name, SRC), 'utf8');
    const compiled = (target) => ts.transpileModule(text, { compilerOptions: { target, module: ts.ModuleKind.ESNext, removeComments: true } }).outputText;
    assert.equal(compiled(ts.ScriptTarget.ES2019), compiled(ts.ScriptTarget.ESNext), name);
    assert.doesNotMatch(compiled(ts.ScriptTarget.ESNext), /import\.meta|\bimport\(|globalThis|^await /m, name);
  }
});

test('nothing is written as HTML, and no style is written into an attribute', async () => {
  for (const name of files) {
    const text = await readFile(new URL(name, SRC), 'utf8');
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|\.style\b|style:/, name);
  }
});

const needVue = ['vue.js', 'composable.js', 'component.js'];
test('importing touches neither window nor document', async () => {
  for (const name of ['document', 'location', 'navigator']) delete globalThis[name];
  for (const name of files.filter((file) => !needVue.includes(file))) await import(`../src/${name}?again`);
});
