/** One attempt, from the first request to the code or the failure. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, test } from 'node:test';

import { createLogin } from '../src/login.js';
import { CHANNELS, ISSUER, Server } from './server.mjs';
import { NOTHING, World } from './world.mjs';

let world;
let server;
beforeEach(() => {
  server = new Server();
  world = new World(server.answer);
});
afterEach(() => world.restore());

const OPTIONS = { issuer: ISSUER, clientId: 'site' };

/** Starts; `seen` are the statuses in order, each once. */
async function start(options = {}) {
  const seen = [];
  const ends = [];
  const login = createLogin({ ...OPTIONS, ...options }, {
    change: ({ status }) => { if (seen[seen.length - 1] !== status) seen.push(status); },
    success: (result) => ends.push(result),
    failure: (failed) => ends.push(failed),
  });
  login.start();
  await world.settle();
  return { login, seen, ends };
}

test('scanned, approved, collected: a code with its verifier, and nothing goes on', async () => {
  const { login, seen, ends } = await start({ state: 'st', nonce: 'no' });
  assert.equal(server.begun.code_challenge_method, 'S256');
  assert.equal(login.view.face.ticket.number, '42');
  server.move('scanned');
  await world.settle();
  server.move('approved');
  await world.settle();
  assert.deepEqual(seen, ['loading', 'waiting', 'scanned', 'approved']);
  const [{ codeVerifier, ...rest }] = ends;
  assert.deepEqual(rest, { code: 'the-code', state: 'st', nonce: 'no', redirectUri: 'https://site.example/cb', issuer: ISSUER });
  assert.equal(createHash('sha256').update(codeVerifier).digest('base64url'), server.begun.code_challenge);
  assert.deepEqual(world.leftovers, NOTHING);
});

test('a mistake in the page’s own callback is seen, and the login goes on', async ({ mock }) => {
  const seen = [];
  mock.method(Promise, 'reject', ({ message }) => { seen.push(message); }); // the runner takes a real one for its own
  const login = createLogin(OPTIONS, { success() { throw new TypeError('mine'); } });
  login.start();
  await world.settle();
  server.move('approved');
  await world.settle();
  assert.deepEqual(seen, ['mine']);
  assert.deepEqual(world.leftovers, NOTHING);
});

test('stopped by a listener, whatever it was told of, a login asks nothing more and tells nobody', async () => {
  for (const at of ['loading', 'waiting', 'scanned', 'approved', 'denied', 'expired', 'error', 'cancelled', 'another tab']) {
    const ends = [];
    const login = createLogin({ ...OPTIONS, retry: false }, {
      change: ({ status, channel }) => {
        if (status !== at && !(at === 'another tab' && channel && channel.id === 'wecom')) return;
        login.stop();
        world.asked();
      },
      success: (result) => ends.push(result),
      failure: (failed) => ends.push(failed),
    });
    if (at === 'error') server.refusals.push({ status: 400, body: { error: 'invalid_request' } });
    login.start();
    await world.settle();
    if (at === 'cancelled') login.cancel();
    else if (at === 'another tab') login.choose('wecom');
    else if (['scanned', 'approved', 'denied', 'expired'].includes(at)) server.move(at);
    await world.settle();
    assert.deepEqual(world.asked(), [], at);
    assert.deepEqual(ends, [], at);
    assert.deepEqual(world.leftovers, NOTHING, at);
  }
});

test('begun anew by a listener, a login is the new one', async () => {
  let again = true;
  const ends = [];
  const login = createLogin(OPTIONS, {
    change: ({ status }) => {
      if (status !== 'approved' || !again) return;
      again = false;
      login.start();
    },
    success: (result) => ends.push(result),
  });
  login.start();
  await world.settle();
  server.move('approved');
  await world.settle();
  assert.equal(world.asked().filter((line) => line.endsWith('redeem')).length, 0);
  assert.equal(login.view.face.ticket.scan_code, 't2');
  server.move('approved');
  await world.settle();
  assert.equal(ends[0].code, 'the-code');
});

test('begun anew by a listener of its end, a login is the new one, and the former end is told no more', async () => {
  for (const at of ['cancelled', 'timeout', 'denied', 'error', 'approved']) {
    let again = true;
    const ends = [];
    const login = createLogin({ ...OPTIONS, retry: ['cancelled', 'timeout'].includes(at), timeout: 60_000 }, {
      change: ({ status, over }) => {
        if (!again || (at === 'approved' ? !(status === at && world.asked().some((line) => line.endsWith('redeem'))) : !over)) return;
        again = false;
        login.start();
      },
      success: (result) => ends.push(result),
      failure: (failed) => ends.push(failed),
    });
    if (at === 'error') server.refusals.push({ status: 400, body: { error: 'invalid_request' } });
    login.start();
    await world.settle();
    if (at === 'cancelled') login.cancel();
    else if (at === 'timeout') await world.pass(61_000);
    else if (at !== 'error') server.move(at);
    await world.settle();
    assert.equal(again, false, at);
    assert.deepEqual(ends, [], at);
    assert.equal(login.view.status, 'waiting', at);
    server.move('approved');
    await world.settle();
    assert.equal(ends[0].code, 'the-code', at);
    assert.deepEqual(world.leftovers, NOTHING, at);
  }
});

test('the secret of the page is sent to the issuer only, and never in an address', async () => {
  await start();
  server.move('approved');
  await world.settle();
  const later = world.requests.slice(1);
  assert.ok(later.every(({ headers, url }) => headers.authorization === 'Bearer secret' && url.origin === ISSUER && !url.href.includes('secret')));
  assert.ok(world.requests.every(({ credentials }) => credentials === 'omit'));
});

test('a challenge of the back end is passed on, and no verifier is made', async () => {
  const { ends } = await start({ codeChallenge: 'theirs', state: 'theirs-too' });
  server.move('approved');
  await world.settle();
  assert.equal(server.begun.code_challenge, 'theirs');
  assert.equal(ends[0].codeVerifier, undefined);
  assert.equal(ends[0].state, 'theirs-too');
});

test('an expired code is replaced by itself while somebody looks, and when they come back', async () => {
  const { login } = await start();
  server.move('expired');
  await world.settle();
  assert.equal(login.view.face.ticket.scan_code, 't2');
  assert.equal(login.view.status, 'waiting');
  await world.hide(true);
  server.move('expired');
  await world.pass(300_000);
  assert.equal(server.tickets, 2);
  await world.hide(false);
  await world.settle();
  assert.equal(login.view.face.ticket.scan_code, 't3');
  login.stop();
  await world.settle();
  assert.deepEqual(world.leftovers, NOTHING);
});

test('after twenty codes that nobody scanned it stops, until somebody asks', async () => {
  const { login } = await start();
  for (let times = 0; times < 25; times += 1) {
    server.move('expired');
    await world.settle();
  }
  assert.equal(server.tickets, 21);
  assert.equal(login.view.status, 'expired');
  login.refresh();
  await world.settle();
  assert.equal(login.view.status, 'waiting');
  login.stop();
});

test('seconds are counted down, and at the end the server is asked', async () => {
  const { login } = await start();
  await world.pass(30_000);
  assert.equal(login.view.secondsLeft, 90);
  world.asked();
  await world.pass(91_000);
  assert.deepEqual(world.asked().filter((line) => !line.endsWith('events')), ['GET /api/browser/logins/g/t1/status']);
  login.stop();
});

test('a refusal on the phone offers another code; giving up afterwards tells which it was', async () => {
  for (const [status, more, reason] of [['denied', {}, 'denied'], ['denied', { reason: 'wrong_number' }, 'wrong_number']]) {
    const { login, seen, ends } = await start();
    server.move(status, more);
    await world.settle();
    assert.equal(login.view.status, 'denied');
    assert.equal(login.view.failure.reason, reason);
    assert.deepEqual(ends, []);
    login.refresh();
    await world.settle();
    assert.equal(login.view.status, 'waiting');
    server.move(status, more);
    await world.settle();
    login.cancel();
    assert.equal(ends[0].reason, reason);
    assert.equal(seen[seen.length - 1], 'denied');
    assert.deepEqual(world.leftovers, NOTHING);
  }
});

test('without retry the first refusal ends it', async () => {
  const { ends } = await start({ retry: false });
  server.move('denied');
  await world.settle();
  assert.equal(ends[0].reason, 'denied');
  assert.deepEqual(world.leftovers, NOTHING);
});

test('giving up kills the code at the server', async () => {
  const { login, ends } = await start();
  login.cancel();
  await world.settle();
  assert.equal(ends[0].errMsg, 'login:fail cancelled');
  assert.equal(login.view.status, 'cancelled');
  assert.equal(world.asked().at(-1), 'POST /api/browser/logins/g/t1/cancel');
  assert.deepEqual(world.leftovers, NOTHING);
});

test('the time of the call is kept, with a failure of its own', async () => {
  const { login, ends } = await start({ timeout: 60_000 });
  await world.pass(59_000);
  assert.deepEqual(ends, []);
  assert.equal(login.view.over, false);
  await world.pass(2000);
  assert.equal(ends[0].reason, 'timeout');
  assert.equal(login.view.over, true);
  assert.deepEqual(world.leftovers, NOTHING);
});

test('another tab gets a fresh code; the tab that is left asks nothing any more', async () => {
  const { login } = await start();
  world.asked();
  login.choose('wecom');
  await world.settle();
  assert.deepEqual(world.asked(), ['POST /api/browser/logins/g/t1/refresh', 'GET /api/browser/logins/g/t2/events']);
  login.choose('password');
  await world.settle();
  assert.deepEqual(world.asked(), ['POST /api/browser/logins/g/t2/cancel'], 'no phone confirms what nobody collects');
  await world.pass(60_000);
  assert.deepEqual(world.asked(), []);
  assert.equal(world.leftovers.requests, 0);
  assert.equal(login.view.face, null);
  login.choose('wechat');
  await world.settle();
  assert.deepEqual(world.asked(), ['POST /api/browser/logins', 'GET /api/browser/logins/g/t3/events'], 'that one was over');
  assert.equal(login.view.face.ticket.scan_code, 't3');
  assert.equal(login.view.status, 'waiting');
  login.stop();
});

test('stopped, a code that a phone could still confirm is dead, even if the page goes with it; any other is left alone', async () => {
  for (const at of ['waiting', 'scanned']) {
    const { login, ends } = await start();
    if (at === 'scanned') server.move(at);
    await world.settle();
    world.requests.splice(0);
    login.stop();
    login.stop();
    assert.deepEqual(world.requests.map(({ path, keepalive }) => [path, keepalive]), [[`/api/browser/logins/g/t${server.tickets}/cancel`, true]]);
    await world.settle();
    assert.deepEqual(ends, []);
    assert.deepEqual(world.leftovers, NOTHING);
  }
  for (const at of ['approved', 'denied']) {
    const { login } = await start();
    server.move(at);
    await world.settle();
    world.asked();
    login.stop();
    await world.settle();
    assert.ok(!world.asked().some((line) => line.endsWith('/cancel')), at);
  }
});

test('a code that no fresh one took the place of is dead when the page is left, on the phone too', async () => {
  for (const [refusals, pass] of [
    [[{ status: 400, body: { error: 'invalid_request' } }, { status: 400, body: { error: 'invalid_request' } }], 0],
    [Array.from({ length: 5 }, () => ({ status: 503 })), 60_000],
    [Array.from({ length: 5 }, () => new TypeError('Failed to fetch')), 60_000],
  ]) {
    server = new Server();
    world.answer = server.answer;
    const { login } = await start();
    server.move('scanned');
    await world.settle();
    world.asked();
    const kept = [...refusals];
    world.answer = (request) => (request.path.endsWith('/cancel') ? { status: 204 } : kept.shift() || server.answer(request));
    login.choose('wecom');
    await world.pass(pass);
    login.stop();
    await world.settle();
    const cancels = world.asked().filter((line) => line.endsWith('/cancel'));
    assert.deepEqual(cancels, ['POST /api/browser/logins/g/t1/cancel']);
    assert.deepEqual(world.leftovers, NOTHING);
  }
});

test('an approval that comes while another code is asked for is collected, under whatever tab', async () => {
  for (const trouble of [null, { heading: 'No code', text: '' }]) {
    const { login, seen, ends } = await start();
    server.stream = null; // has not told yet
    server.move('approved');
    const { face } = login.view;
    server.refusals.push({ body: { ...face, trouble, ticket: { ...face.ticket, ...server.news } } });
    world.asked();
    login.choose('wecom');
    await world.settle();
    const at = `/api/browser/logins/g/t${server.tickets}`;
    assert.deepEqual(world.asked(), [`POST ${at}/refresh`, `POST ${at}/redeem`]);
    assert.equal(ends[0].code, 'the-code');
    assert.equal(seen[seen.length - 1], 'approved');
    assert.deepEqual(world.leftovers, NOTHING);
  }
});

test('begun again by the page, the code of before is dead', async () => {
  const { login } = await start();
  world.asked();
  login.start();
  await world.settle();
  assert.deepEqual(world.asked().slice(0, 2), ['POST /api/browser/logins/g/t1/cancel', 'POST /api/browser/logins']);
  login.stop();
});

test('a channel that the server does not know any more is forgotten, and the login goes on with another', async () => {
  for (const restarted of [false, true]) { // a restart may have lost the login as well
    server.channels = CHANNELS;
    const { login, ends } = await start();
    login.choose('wecom');
    await world.settle();
    server.channels = CHANNELS.filter(({ id }) => id !== 'wecom');
    if (restarted) server.refusals.push({ status: 404, body: { error: 'unknown_login' } });
    server.move('expired');
    await world.settle();
    assert.deepEqual(ends, []);
    assert.equal(login.view.status, 'waiting');
    assert.equal(login.view.channel.id, 'wechat');
    login.stop();
    await world.settle();
  }
});

test('a provider that the server never knew is the page’s mistake, and ends it', async () => {
  const { ends } = await start({ provider: 'nobody' });
  assert.equal(ends[0].reason, 'invalid_request');
  assert.equal(world.asked().length, 1);
});

test('begun again by the page it is as new; asked for by the person, it is the tab that was open', async () => {
  const options = { provider: 'wechat', timeout: 60_000 };
  const { login } = await start(options);
  login.choose('wecom');
  await world.pass(61_000);
  login.refresh();
  await world.settle();
  assert.equal(login.view.channel.id, 'wecom');
  login.start();
  await world.settle();
  assert.equal(login.view.channel.id, 'wechat');
  login.stop();
});

test('begun under a tab that needs a window, a tab with a code still draws one', async () => {
  const { login } = await start({ provider: 'password' });
  assert.equal(login.view.face, null);
  login.choose('wechat');
  await world.settle();
  assert.equal(login.view.status, 'waiting');
  assert.ok(login.view.face);
  login.stop();
});

test('a login that the server forgot begins again by itself', async () => {
  const { login } = await start();
  server.refusals.push({ status: 404, body: { error: 'unknown_login' } });
  login.refresh();
  await world.settle();
  assert.equal(login.view.status, 'waiting');
  assert.ok(world.asked().filter((line) => line === 'POST /api/browser/logins').length === 2);
  login.stop();
});

test('an approval is collected even if the server stumbles, and once', async () => {
  const { ends } = await start();
  server.move('approved');
  server.refusals.push({ status: 503 }, { status: 503 });
  await world.pass(20_000);
  assert.equal(ends[0].code, 'the-code');
  assert.equal(world.asked().filter((line) => line.endsWith('redeem')).length, 3);
});

test('an approval that could not be collected is collected when the network is back', async () => {
  const { login, ends } = await start();
  server.move('approved');
  server.refusals.push(...Array.from({ length: 5 }, () => new TypeError('Failed to fetch')));
  await world.pass(60_000);
  assert.equal(login.view.failure.reason, 'network');
  await world.online();
  assert.equal(ends[0].code, 'the-code');
});

test('while an approval is collected, coming back or pressing a button does not collect it twice', async () => {
  const { login, ends } = await start();
  let answer;
  server.refusals.push(new Promise((done) => { answer = done; }));
  server.move('approved');
  await world.settle();
  await world.hide(true);
  await world.hide(false);
  login.refresh();
  await world.settle();
  assert.equal(world.asked().filter((line) => line.endsWith('redeem')).length, 1);
  answer({ body: { code: 'the-code', state: server.begun.state, iss: ISSUER } });
  await world.settle();
  assert.equal(ends[0].code, 'the-code');
});

test('begun again after a success, it asks with another proof', async () => {
  const { login, ends } = await start();
  server.move('approved');
  await world.settle();
  login.start();
  await world.settle();
  server.move('approved');
  await world.settle();
  assert.equal(ends.length, 2);
  assert.notEqual(ends[0].codeVerifier, ends[1].codeVerifier);
  assert.notEqual(ends[0].state, ends[1].state);
});

test('an account that may not sign in is a failure of its own', async () => {
  const { login } = await start();
  server.move('approved');
  server.refusals.push({ status: 403, body: { error: 'person_disabled', error_description: 'Switched off.' } });
  await world.settle();
  assert.equal(login.view.failure.errMsg, 'login:fail refused: Switched off.');
  login.stop();
});

test('the network, the server, the origin and the request fail differently', async () => {
  const cases = [
    [() => { server.broken = true; }, 'network', false],
    [() => { server.refusals.push({ status: 503 }, { status: 503 }); }, 'server', false],
    [() => { server.refusals.push(new TypeError('CORS'), new TypeError('CORS')); }, 'not_allowed', true],
    [() => { server.refusals.push({ status: 403, body: { error: 'origin_not_allowed', error_description: 'No.' } }); }, 'not_allowed', true],
    [() => { server.refusals.push({ status: 400, body: { error: 'invalid_request' } }); }, 'invalid_request', true],
  ];
  for (const [prepare, reason, isFinal] of cases) {
    server.broken = false;
    prepare();
    const { login, ends } = await start();
    await world.pass(10_000);
    assert.equal(login.view.status, 'error');
    assert.equal(login.view.failure.reason, reason);
    assert.equal(ends.length, isFinal ? 1 : 0, reason);
    login.stop();
    assert.deepEqual(world.leftovers, NOTHING);
  }
});

test('a page whose origin is not registered is told what to type, in its language', async () => {
  for (const [lang, sentence] of [['en', 'Origin not registered. On the server, run: '], ['zh-CN', '源未登记，请在服务器上执行：']]) {
    server.refusals.push(new TypeError('CORS'), new TypeError('CORS'));
    const { ends } = await start({ lang });
    await world.pass(10_000);
    assert.equal(ends[0].detail, `${sentence}mashang client set site --add-redirect-uri https://site.example/`);
  }
});

test('where the browser keeps the page from the local network, the failure says what may be allowed', async () => {
  const cases = [['denied', /local network/], ['prompt', /^$/], ['granted', /^$/], [new TypeError('no such permission'), /^$/]];
  server.broken = true;
  for (const [state, detail] of cases) {
    globalThis.navigator.permissions = {
      query: async ({ name }) => {
        assert.equal(name, 'local-network-access');
        if (state instanceof Error) throw state;
        return { state };
      },
    };
    const { login } = await start();
    await world.pass(10_000);
    assert.equal(login.view.failure.reason, 'network');
    assert.match(login.view.failure.detail, detail);
    login.stop();
  }
});

test('back online, a login that could not begin begins', async () => {
  server.broken = true;
  const { login } = await start();
  await world.pass(10_000);
  server.broken = false;
  await world.online();
  assert.equal(login.view.status, 'waiting');
  login.stop();
});

test('an issuer that is no address is told at once', async () => {
  for (const options of [{ issuer: 'login.example' }, { issuer: 'javascript:alert(1)' }, { clientId: '' }]) {
    const { ends } = await start(options);
    assert.equal(ends[0].reason, 'invalid_request');
  }
  assert.deepEqual(world.asked(), []);
});

test('without WebCrypto (plain http) the failure says so', async () => {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'crypto');
  Object.defineProperty(globalThis, 'crypto', { configurable: true, value: { getRandomValues: (bytes) => bytes } });
  try {
    const { ends } = await start();
    assert.equal(ends[0].reason, 'insecure_context');
  } finally {
    Object.defineProperty(globalThis, 'crypto', before);
  }
});

test('a redeem answer of another issuer or another state is refused', async () => {
  for (const wrong of [{ iss: 'https://evil.example' }, { state: 'other' }]) {
    const { ends } = await start();
    server.move('approved');
    server.refusals.push({ body: { code: 'c', state: server.begun.state, iss: ISSUER, ...wrong } });
    await world.settle();
    assert.equal(ends[0].reason, 'mismatch');
  }
});

// ---- windows ----

async function inWindow() {
  const attempt = await start({ provider: 'password' });
  assert.equal(attempt.login.openWindow(), true);
  return { ...attempt, popup: world.window_, url: new URL(world.window_.url) };
}

const answerOf = (response, more = {}) => ({
  origin: ISSUER, source: world.window_, data: { type: 'authorization_response', response }, ...more,
});

test('the window asks for the same login, and its answer counts', async () => {
  const { ends, url } = await inWindow();
  assert.equal(url.origin + url.pathname, `${ISSUER}/authorize`);
  const query = Object.fromEntries(url.searchParams);
  assert.equal(query.response_mode, 'web_message');
  assert.equal(query.login_hint, 'password');
  assert.equal(query.code_challenge, server.begun.code_challenge);
  assert.equal(query.state, server.begun.state);
  world.window.tell('message', answerOf({ code: 'from-window', state: query.state, iss: ISSUER }));
  assert.equal(ends[0].code, 'from-window');
  assert.ok(ends[0].codeVerifier);
  assert.deepEqual(world.leftovers, NOTHING);
});

test('forged messages are no answers', async () => {
  const { login, ends, url } = await inWindow();
  const state = url.searchParams.get('state');
  const good = { code: 'forged', state, iss: ISSUER };
  const forged = [
    answerOf(good, { origin: 'https://evil.example' }),
    answerOf(good, { source: {} }),
    answerOf({ ...good, state: 'guessed' }),
    answerOf({ code: 'forged' }),
    answerOf(good, { data: { type: 'other', response: good } }),
    answerOf(good, { data: null }),
    answerOf(good, { data: 'text' }),
  ];
  for (const event of forged) world.window.tell('message', event);
  assert.deepEqual(ends, []);
  login.choose('wechat');
  world.window.tell('message', answerOf(good));
  assert.deepEqual(ends, [], 'a window that was left answers nothing');
  login.stop();
});

test('a refusal in the window leads back to the panel', async () => {
  const { login, ends, url } = await inWindow();
  world.window.tell('message', answerOf({ error: 'access_denied', state: url.searchParams.get('state'), iss: ISSUER }));
  assert.equal(login.view.status, 'denied');
  assert.deepEqual(ends, []);
  assert.equal(login.openWindow(), true, 'and can be opened again');
  login.stop();
  assert.equal(world.window_.closed, true);
});

test('a window that is open comes to the front, one that was closed opens anew', async () => {
  const { login, popup } = await inWindow();
  login.openWindow();
  assert.equal(popup.focused, 1);
  popup.closed = true;
  login.openWindow();
  assert.notEqual(world.window_, popup);
  login.stop();
});

test('a browser that forbids windows is noticed', async () => {
  const { login } = await start({ provider: 'password' });
  world.popup = () => null;
  globalThis.open = () => null;
  assert.equal(login.openWindow(), false);
  login.stop();
});

test('a window asked for before the login is there is none, whatever was there before', async () => {
  const { login } = await inWindow();
  delete world.window_;
  for (const again of [() => login.start(), () => { login.cancel(); login.refresh(); }]) {
    again();
    assert.equal(login.openWindow(), false);
    assert.equal(world.window_, undefined);
    await world.settle();
  }
  assert.equal(login.openWindow(), true);
  login.stop();
});
