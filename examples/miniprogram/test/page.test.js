const test = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');

const { loadPage, phone } = require('./harness');
const { PURPOSES } = require('../lib/login');
const words = require('../lib/words');

const CODE = 'A'.repeat(32);
const OTHER = 'B'.repeat(32);
const TOLD = { purpose: 'sign_in', site: '示例网站', host: 'site.example', device: 'Chrome · Windows', address: '203.0.113.7', at: '2026-11-22T11:00:00Z', number_digits: 2 };
const SCANNED = [200, { phone_token: 'msp_secret', login: TOLD, expires_in: 120 }];

/** A page opened by scanning, with what the server answers. */
async function opened(answers, { query = { scene: CODE }, scene = 1047, ...rest } = {}) {
  const held = phone({ enter: { query, scene }, answers, ...rest });
  const page = loadPage(held);
  await page.onLoad(query);
  return { page, held };
}

test('the page tells site, host, device, address and time, and the phone token is not in its data', async () => {
  const { page, held } = await opened({ scan: SCANNED });
  assert.equal(page.data.step, 'confirm');
  assert.equal(page.data.login.site, '示例网站');
  assert.equal(page.data.login.host, 'site.example');
  assert.match(page.data.login.at, /^2026-11-2\d \d\d:\d\d:00$/);
  assert.equal(page.data.withoutCamera, false);
  assert.ok(!JSON.stringify(page.data).includes('msp_secret'));
  assert.equal(held.sent[0].url, `https://login.example.com/api/phone/mini/${CODE}/scan`);
  assert.equal(held.sent[0].method, 'POST');
  assert.deepEqual(held.sent[0].data, { code: 'code-1' });
  page.onUnload();
});

test('approving needs the whole number, and happens once', async () => {
  const { page, held } = await opened({ scan: SCANNED, approve: [200, { status: 'approved' }] });
  assert.equal(page.data.canApprove, false);
  page.onNumber({ detail: { value: '4' } });
  assert.equal(page.data.canApprove, false);
  page.onNumber({ detail: { value: '42' } });
  assert.equal(page.data.canApprove, true);
  await Promise.all([page.onApprove(), page.onApprove()]);
  assert.equal(page.data.step, 'done');
  assert.equal(page.data.message, words.zh.ask.sign_in.approved);
  const approvals = held.sent.filter(({ url }) => url.endsWith('/approve'));
  assert.deepEqual(approvals.map(({ data }) => data), [{ phone_token: 'msp_secret', number: '42' }]);
});

test('without a number to type, yes can be pressed at once', async () => {
  const told = { ...SCANNED[1], login: { ...TOLD, number_digits: 0 } };
  const { page } = await opened({ scan: [200, told], approve: [200, { status: 'approved' }] });
  assert.equal(page.data.canApprove, true);
  await page.onApprove();
  assert.equal(page.data.step, 'done');
});

test('being added to an account is another question, with the name of that account apart and a warning', async () => {
  const told = { ...SCANNED[1], login: { ...TOLD, purpose: 'link', account: '招商银行' } };
  for (const [language, t] of [['zh_CN', words.zh], ['en', words.en]]) {
    const { page } = await opened({ scan: [200, told], approve: [200, { status: 'approved' }] }, { language });
    assert.equal(page.data.ask.title, t.ask.link.title);
    assert.notEqual(page.data.ask.approve, t.ask.sign_in.approve);
    assert.equal(page.data.login.account, '招商银行');
    assert.ok(!page.data.login.site.includes('招商银行'));
    page.onNumber({ detail: { value: '42' } });
    await page.onApprove();
    assert.equal(page.data.message, t.ask.link.approved);
  }
});

test('a purpose that this version does not know cannot be approved', async () => {
  const told = { ...SCANNED[1], login: { ...TOLD, purpose: 'pay' } };
  const { page, held } = await opened({ scan: [200, told], approve: [200, { status: 'approved' }] });
  assert.equal(page.data.message, words.zh.errors.unknown_purpose);
  page.onNumber({ detail: { value: '42' } });
  await page.onApprove();
  assert.ok(!held.sent.some(({ url }) => url.endsWith('/approve')));
});

test('every purpose has its own heading, button, warning and outcome', () => {
  for (const t of [words.zh, words.en]) {
    assert.deepEqual(Object.keys(t.ask), PURPOSES);
    for (const part of ['title', 'approve', 'warning', 'approved']) {
      assert.equal(new Set(PURPOSES.map((purpose) => t.ask[purpose][part])).size, PURPOSES.length, part);
    }
  }
});

test('a wrong number is told as the end of this login', async () => {
  const { page } = await opened({ scan: SCANNED, approve: [200, { status: 'wrong_number' }] });
  page.onNumber({ detail: { value: '11' } });
  await page.onApprove();
  assert.equal(page.data.message, words.zh.done.wrong_number);
});

test('a no is final', async () => {
  const { page, held } = await opened({ scan: SCANNED, deny: [200, { status: 'denied' }] });
  await page.onDeny();
  assert.equal(page.data.message, words.zh.done.denied);
  await page.onApprove();
  assert.ok(!held.sent.some(({ url }) => url.endsWith('/approve')));
});

test('every error of the server, a lost network and a silent WeChat are told in the person’s language', async () => {
  for (const [language, t] of [['zh_CN', words.zh], ['en', words.en]]) {
    for (const name of Object.keys(t.errors)) {
      const { page } = await opened({ scan: [400, { error: name, message: 'm' }] }, { language });
      assert.equal(page.data.step, 'failed');
      assert.equal(page.data.message, t.errors[name], name);
    }
    assert.equal((await opened({}, { language })).page.data.message, t.errors.network);
    assert.equal((await opened({}, { language, canLogIn: false })).page.data.message, t.errors.code_refused);
    assert.equal((await opened({}, { language, query: {} })).page.data.message, t.errors.no_code);
    assert.equal((await opened({ scan: [400, { error: 'toString' }] }, { language })).page.data.message, t.errors.unexpected);
  }
});

test('a code that came as a picture is warned about', async () => {
  const { page } = await opened({ scan: SCANNED }, { scene: 1048 });
  assert.equal(page.data.withoutCamera, true);
  page.onUnload();
});

test('coming back to the front looks again and keeps what was typed; another scan begins anew', async () => {
  const again = [200, { status: 'scanned', login: TOLD, expires_in: 60 }];
  const { page, held } = await opened({ scan: SCANNED, context: again });
  page.onNumber({ detail: { value: '42' } });
  await page.onShow();
  assert.equal(page.data.number, '42');
  assert.equal(page.data.canApprove, true);
  held.enter = { query: { q: encodeURIComponent(`https://login.example.com/s/${OTHER}`) }, scene: 1011 };
  await page.onShow();
  assert.equal(page.data.number, '');
  const scans = held.sent.filter(({ url }) => url.endsWith('/scan'));
  assert.deepEqual(scans.map(({ data }) => data.code), ['code-1', 'code-2'], 'a fresh code for each scan');
  assert.ok(scans[1].url.includes(OTHER));
  held.answers.context = [404, { error: 'unknown_login' }];
  await page.onShow();
  assert.equal(page.data.message, words.zh.errors.unknown_login);
});

test('after a lost network, scanning the same code again tries again', async () => {
  const { page, held } = await opened({});
  assert.equal(page.data.message, words.zh.errors.network);
  held.answers.scan = SCANNED;
  await page.onShow();
  assert.equal(page.data.step, 'confirm');
  page.onUnload();
});

test('an answer that does not arrive leaves the question as it was: the same login, the same buttons', async () => {
  const lost = [undefined, [502, '<html>'], [503, { error: 'busy' }], [429, { error: 'too_many' }]];
  const told = ['network', 'unexpected', 'busy', 'too_many'];
  for (const [index, answer] of lost.entries()) {
    const sentence = words.zh.again[told[index]];
    const { page, held } = await opened({ scan: SCANNED, context: answer, approve: answer, deny: answer });
    page.onNumber({ detail: { value: '42' } });
    for (const step of ['onShow', 'onApprove', 'onDeny']) {
      await page[step]();
      assert.equal(page.data.step, 'confirm', step);
      assert.equal(page.data.again, sentence, step);
      assert.equal(page.data.busy, false, step);
      assert.equal(page.data.canApprove, true, step);
    }
    held.answers.context = SCANNED;
    await page.onShow();
    assert.equal(page.data.again, '');
    held.answers.approve = [200, { status: 'approved' }];
    await page.onApprove();
    assert.equal(page.data.message, words.zh.ask.sign_in.approved);
    const scans = held.sent.filter(({ url }) => url.endsWith('/scan'));
    assert.equal(scans.length, 1, 'a second scan of the same code would be taken for another phone’s');
    assert.equal(held.sent.at(-1).data.phone_token, 'msp_secret');
  }
});

test('a code whose login is over is not scanned again either', async () => {
  const { page, held } = await opened({ scan: SCANNED, approve: [404, { error: 'unknown_login' }] });
  page.onNumber({ detail: { value: '42' } });
  await page.onApprove();
  await page.onShow();
  assert.equal(page.data.message, words.zh.errors.unknown_login);
  assert.equal(held.sent.filter(({ url }) => url.endsWith('/scan')).length, 1);
});

test('a scan whose answer tells nothing leaves nothing to answer', async () => {
  const { page } = await opened({ scan: [200, { phone_token: 'msp_secret' }] });
  assert.equal(page.data.step, 'failed');
  assert.equal(page.data.message, words.zh.errors.unexpected);
});

test('looking again in vain neither frees the buttons while an answer is under way nor hides its outcome', async () => {
  const { page, held } = await opened({ scan: SCANNED });
  page.onNumber({ detail: { value: '42' } });
  const calls = [];
  held.wx.request = (call) => calls.push(call);
  const steps = [page.onShow(), page.onShow(), page.onApprove()];
  calls[0].fail({ errMsg: 'request:fail' });
  await steps[0];
  assert.equal(page.data.busy, true);
  calls[2].success({ statusCode: 200, data: { status: 'approved' } });
  await steps[2];
  calls[1].success({ statusCode: 409, data: { error: 'finished' } });
  await steps[1];
  assert.equal(page.data.step, 'done');
  assert.equal(page.data.message, words.zh.ask.sign_in.approved);
});

test('when time is up the page says so', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { page } = await opened({ scan: SCANNED });
  t.mock.timers.tick(119_000);
  assert.equal(page.data.step, 'confirm');
  t.mock.timers.tick(1_000);
  assert.equal(page.data.message, words.zh.errors.unknown_login);
});

test('a phone number is handed over as a code, and refusing to is fine', async () => {
  const { page, held } = await opened({ scan: SCANNED, 'phone-number': [200, { status: 'scanned' }] });
  for (const detail of [{ errMsg: 'getPhoneNumber:fail user deny' }, { errMsg: 'getPhoneNumber:fail user deny', errno: 103 }]) {
    await page.onPhoneNumber({ detail });
    assert.equal(page.data.phoneFailed, false);
  }
  assert.equal(held.sent.length, 1);
  await page.onPhoneNumber({ detail: { code: 'phone-code' } });
  assert.deepEqual(held.sent[1].data, { phone_token: 'msp_secret', code: 'phone-code' });
  assert.equal(page.data.phoneShared, true);
  page.onUnload();
});

test('a phone number that does not arrive is told, and the login is approved without it', async () => {
  const lost = [[503, { error: 'platform_setup' }], [503, { error: 'platform_unavailable' }], [400, { error: 'code_refused' }], undefined];
  for (const answer of lost) {
    const { page, held } = await opened({ scan: SCANNED, 'phone-number': answer, context: SCANNED, approve: [200, { status: 'approved' }] });
    page.onNumber({ detail: { value: '42' } });
    await page.onPhoneNumber({ detail: { code: 'phone-code' } });
    assert.equal(page.data.step, 'confirm', JSON.stringify(answer));
    assert.equal(page.data.phoneFailed, true);
    assert.equal(page.data.phoneShared, false);
    await page.onShow();
    assert.equal(held.sent.filter(({ url }) => url.endsWith('/scan')).length, 1, 'still the same login');
    await page.onApprove();
    assert.equal(page.data.message, words.zh.ask.sign_in.approved);
  }
});

test('a phone number that WeChat does not give is told, and the next tap counts', async () => {
  for (const [errno, errMsg] of [[112, 'api scope is not declared in the privacy agreement'], [104, 'privacy permission is not authorized'], [1400001, 'quota is used up']]) {
    const { page, held } = await opened({ scan: SCANNED, 'phone-number': [200, { status: 'scanned' }] });
    await page.onPhoneNumber({ detail: { errno, errMsg: `getPhoneNumber:fail ${errMsg}` } });
    assert.equal(page.data.phoneFailed, true, errMsg);
    assert.equal(page.data.step, 'confirm');
    assert.equal(held.sent.length, 1);
    await page.onPhoneNumber({ detail: { code: 'phone-code' } });
    assert.equal(page.data.phoneFailed, false);
    assert.equal(page.data.phoneShared, true);
    page.onUnload();
  }
});

test('a phone number that failed can be shared by another tap', async () => {
  const { page, held } = await opened({ scan: SCANNED, 'phone-number': [400, { error: 'code_refused' }] });
  await page.onPhoneNumber({ detail: { code: 'old-code' } });
  held.answers['phone-number'] = [200, { status: 'scanned' }];
  await page.onPhoneNumber({ detail: { code: 'new-code' } });
  assert.equal(page.data.phoneFailed, false);
  assert.equal(page.data.phoneShared, true);
  page.onUnload();
});

test('a login that is over is told as over when the phone number is shared', async () => {
  for (const name of ['unknown_login', 'finished', 'unauthorized']) {
    const { page } = await opened({ scan: SCANNED, 'phone-number': [409, { error: name }] });
    await page.onPhoneNumber({ detail: { code: 'phone-code' } });
    assert.equal(page.data.step, 'failed');
    assert.equal(page.data.message, words.zh.errors[name]);
  }
});

test('the template names only words, data and handlers that exist, and yes and no weigh the same', () => {
  const wxml = fs.readFileSync(path.join(__dirname, '../pages/confirm/confirm.wxml'), 'utf8');
  const page = loadPage(phone());
  for (const [, name] of wxml.matchAll(/ bind\w+="(\w+)"/g)) assert.ok(page.handlers.includes(name), name);
  for (const [, expression] of wxml.matchAll(/\{\{(.*?)\}\}/g)) {
    for (const [, name, inner] of expression.replace(/'[^']*'/g, '').matchAll(/\b([a-zA-Z]+)(?:\.(\w+))?/g)) {
      assert.ok(name in page.data, expression);
      if (name === 't') assert.ok(inner in words.zh, expression);
    }
  }
  assert.equal(wxml.match(/class="answer (deny|approve)"/g).length, 2);
});

test('both languages say the same things', () => {
  const keys = (table) => Object.entries(table).flatMap(([key, value]) => (typeof value === 'string' ? [key] : Object.keys(value).map((inner) => `${key}.${inner}`)));
  assert.deepEqual(keys(words.zh), keys(words.en));
});

test('every error name of the manual has a sentence', () => {
  const manual = fs.readFileSync(path.join(__dirname, '../../../docs/phone-api.md'), 'utf8');
  const names = [...manual.matchAll(/^\| `(\w+)` \| \d{3} \|/gm)].map(([, name]) => name);
  assert.ok(names.length >= 12, names.join());
  for (const name of names) assert.ok(words.zh.errors[name] && words.en.errors[name], name);
});
