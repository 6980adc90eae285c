const test = require('node:test');
const assert = require('node:assert/strict');

const { Login } = require('../lib/login');

const CODE = 'A'.repeat(32);
const TOLD = { purpose: 'sign_in', site: '示例', host: 'site.example', device: 'Chrome · Windows', address: '203.0.113.7', at: '2026-11-22T11:00:00Z', number_digits: 2 };

/** A login whose server gives `answers` in turn. */
function login(...answers) {
  const sent = [];
  const post = async (path, body) => {
    sent.push([path, body]);
    const answer = answers.shift();
    if (!answer) throw new Error('offline');
    return { status: answer[0], body: answer[1] };
  };
  return { login: new Login(post, 'mini', CODE, () => 1_000_000), sent };
}

const SCANNED = [200, { phone_token: 'msp_x', login: TOLD, expires_in: 120 }];

test('scan, look again, share a number and approve: what is sent is a code, the token and what was typed', async () => {
  const { login: one, sent } = login(SCANNED, [200, { status: 'scanned', login: TOLD, expires_in: 60 }], [200, { status: 'scanned' }], [200, { status: 'approved' }]);
  assert.deepEqual(await one.scan('wx-code'), TOLD);
  assert.equal(one.endsAt, 1_120_000);
  await one.context();
  assert.equal(one.endsAt, 1_060_000);
  await one.sharePhoneNumber('phone-code');
  assert.equal(await one.approve('42'), 'approved');
  const base = `/api/phone/mini/${CODE}`;
  assert.deepEqual(sent, [
    [`${base}/scan`, { code: 'wx-code' }],
    [`${base}/context`, { phone_token: 'msp_x' }],
    [`${base}/phone-number`, { phone_token: 'msp_x', code: 'phone-code' }],
    [`${base}/approve`, { phone_token: 'msp_x', number: '42' }],
  ]);
});

test('a wrong number and a no are outcomes, not errors', async () => {
  const wrong = login(SCANNED, [200, { status: 'wrong_number' }]).login;
  await wrong.scan('c');
  assert.equal(await wrong.approve('11'), 'wrong_number');
  const no = login(SCANNED, [200, { status: 'denied' }]).login;
  await no.scan('c');
  assert.equal(await no.deny(), 'denied');
});

test('what goes wrong has a name: the server’s, or ours when it has none', async () => {
  const cases = [
    [[409, { error: 'taken', message: '…' }], 'taken'],
    [[503, { error: 'platform_unavailable', message: '…' }], 'platform_unavailable'],
    [[502, '<html>'], 'unexpected'],
    [[200, ''], 'unexpected'],
    [[200, { phone_token: 'x' }], 'unexpected'],
    [[500, null], 'unexpected'],
    [[200, { ...SCANNED[1], login: { ...TOLD, purpose: 'pay' } }], 'unknown_purpose'],
    [[200, { ...SCANNED[1], login: { ...TOLD, purpose: undefined } }], 'unknown_purpose'],
    [undefined, 'network'],
  ];
  for (const [answer, name] of cases) {
    await assert.rejects(login(answer).login.scan('c'), { name }, name);
  }
});
