/** Whoever sees the QR, or even the page's source, but does not hold the browser's cookie. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { journeys, scan, scanUrl, signIn } from '../support/browser.mjs';
import { startComputer } from '../support/computer.mjs';
import { DESKTOP, Jar } from '../support/jar.mjs';
import { startHouse } from '../support/house.mjs';

const journey = journeys();
let house;
before(async () => { house = await startHouse({ settings: '[log]\nfilter = "debug"\n' }); });
after(() => house?.stop());

const JSON_ONLY = { accept: 'application/json' };

/** Everything one can ask of a login, as [method, part]. */
const QUESTIONS = [
  ['GET', ''], ['GET', 'status'], ['GET', 'status?wait=25&seen=0'], ['GET', 'events'], ['POST', 'redeem'], ['POST', 'refresh'], ['POST', 'cancel'],
];

/** Status and body of an answer, without the reference that differs each time. */
async function answer(jar, method, url, headers) {
  const got = await jar.send(method, url, { headers, signal: AbortSignal.timeout(10_000) });
  const body = (await got.text()).replace(/"reference":"[^"]+"|<code>[\w-]{8}<\/code>|href="[^"]*lang=en"/g, '');
  return { status: got.status, type: got.headers.get('content-type'), body };
}

for (const [who, intruder] of Object.entries({
  'a stranger without cookies': async () => new Jar({ 'user-agent': DESKTOP }),
  'another browser with a login of its own': async () => (await startComputer(house)).jar,
})) {
  test(`SEC-02 SEC-14 ${who} who knows scan code and page source gets the answer for logins that never were`, async () => {
    const victim = await startComputer(house);
    const jar = await intruder();
    const [grant, ticket] = new URL(victim.page).pathname.split('/').slice(2);
    const unknown = (text) => text.replace(/^.{4}/, 'AAAA');
    for (const headers of [JSON_ONLY, {}]) {
      for (const [method, part] of QUESTIONS) {
        const path = (g, t) => `${house.server.url}/login/${g}/${t}${part && `/${part}`}`;
        const told = await answer(jar, method, path(grant, ticket), headers);
        assert.equal(told.status, 404, `${method} ${part}`);
        for (const never of [path(unknown(grant), ticket), path(grant, unknown(ticket)), path(unknown(grant), unknown(ticket))]) {
          assert.deepEqual(await answer(jar, method, never, headers), told, `${method} ${part}`);
        }
      }
    }
    assert.equal((await victim.status()).status, 'waiting', 'nothing was cancelled or refreshed');
    const phone = house.wechat.phone('ada');
    await phone.scan(victim.scanUrl);
    assert.equal((await answer(jar, 'GET', victim.url('status'), JSON_ONLY)).status, 404);
    await phone.approve(victim.number);
    assert.equal((await answer(jar, 'POST', victim.url('redeem'), JSON_ONLY)).status, 404);
    assert.equal((await victim.finish()).name, 'Ada');
  });
}

test('SEC-56 an authorization request begun in one browser cannot be continued in another', async () => {
  const victim = await startComputer(house);
  const intruder = await startComputer(house);
  const grant = new URL(victim.page).pathname.split('/')[2];
  const ownTicket = new URL(intruder.page).pathname.split('/')[3];
  for (const path of [`/login/${grant}`, `/login/${grant}/${ownTicket}`, `/channel/wechat-web/start/${grant}/${ownTicket}`]) {
    assert.equal((await intruder.jar.get(house.server.url + path)).status, 404, path);
  }
});

test('SEC-03 SEC-13 neither the page nor its events name the person or carry a code', async () => {
  const computer = await startComputer(house);
  const person = await house.wechat.person('xiaohong');
  const events = await computer.jar.get(computer.url('events'), { headers: { accept: 'text/event-stream' } });
  const phone = house.wechat.phone('xiaohong');
  await phone.scan(computer.scanUrl);
  await computer.look();
  const seen = [computer.html, JSON.stringify(await computer.status())];
  await phone.approve(computer.number);
  let stream = '';
  for await (const chunk of events.body.pipeThrough(new TextDecoderStream())) {
    stream += chunk;
    if (stream.includes('"approved"')) break;
  }
  await computer.look();
  seen.push(stream, computer.html);
  const { redirect } = await (await computer.redeem()).json();
  const code = new URL(redirect).searchParams.get('code');
  const secrets = [
    person.nickname, code, computer.jar.cookies.get('mashang_browser'), ...Object.values(person.openids), ...Object.values(person.unionids),
  ];
  for (const secret of secrets) {
    assert.ok(secret.length > 1);
    for (const text of seen) assert.ok(!text.includes(secret), `${secret} was told`);
  }
});

test('SEC-77 a whole login leaves no secret, code, token or openid in the log', async () => {
  const computer = await startComputer(house);
  const person = await house.wechat.person('ada');
  const phone = house.wechat.phone('ada');
  const back = new URL(await phone.authorize(await phone.open(computer.scanUrl)));
  const login = await phone.jar.get(back);
  phone.page = await phone.jar.get(new URL(login.headers.get('location'), house.server.url));
  phone.html = await phone.page.text();
  await phone.approve(computer.number);
  const { redirect } = await (await computer.redeem()).json();
  await computer.arrive(redirect);
  assert.ok((await computer.jar.get(redirect)).status >= 400, 'a code that is brought twice is refused');
  const log = house.server.log().join('\n');
  assert.ok(log.length > 100, 'the log is on');
  const secrets = {
    'the website\'s code': new URL(redirect).searchParams.get('code'),
    'WeChat\'s code': back.searchParams.get('code'),
    'the state towards WeChat': back.searchParams.get('state'),
    'the client secret': house.site.secret,
    'the AppSecret': house.sandbox.official.secret,
    ...Object.fromEntries([...computer.jar.cookies, ...phone.jar.cookies]),
    ...person.openids,
    ...person.unionids,
  };
  for (const [name, secret] of Object.entries(secrets)) assert.ok(!log.includes(secret), `${name} is in the log`);
});

test('SEC-07 opening, prefetching or following any link of the phone answers nothing', async () => {
  const computer = await startComputer(house);
  const phone = house.wechat.phone('xiaoming');
  await phone.scan(computer.scanUrl);
  for (const path of ['', '/confirm', '/approve', '/deny', '/result?outcome=approved']) {
    for (const headers of [{}, { purpose: 'prefetch', 'sec-purpose': 'prefetch' }]) {
      const got = await phone.jar.get(computer.scanUrl + path, { headers });
      if (/approve|deny/.test(path) && !/result/.test(path)) assert.equal(got.status, 405, path);
    }
  }
  assert.equal((await computer.status()).status, 'scanned');
  assert.equal((await fetch(computer.scanUrl, { method: 'HEAD' })).status < 400, true);
  await phone.approve(computer.number);
  assert.equal((await computer.finish()).name, '小明');
});

test('SEC-06 a phone that did not scan cannot answer, even with the page of the one that did', async () => {
  const computer = await startComputer(house);
  const owner = house.wechat.phone('xiaoming');
  await owner.scan(computer.scanUrl);
  const other = house.wechat.phone('xiaohong');
  await other.open((await startComputer(house)).scanUrl);
  other.page = owner.page;
  other.html = owner.html;
  await assert.rejects(other.approve(computer.number), /403/);
  assert.equal((await computer.status()).status, 'scanned');
});

test('SEC-18 SEC-64 another site\'s page can neither approve nor collect', async () => {
  const computer = await startComputer(house);
  const phone = house.wechat.phone('ada');
  await phone.scan(computer.scanUrl);
  const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
  for (const [jar, url] of [[phone.jar, `${computer.scanUrl}/approve`], [computer.jar, computer.url('redeem')], [computer.jar, computer.url('refresh')]]) {
    assert.equal((await jar.post(url, {}, { headers: foreign })).status, 403, url);
  }
  assert.equal((await computer.status()).status, 'scanned');
});

test('SEC-04 two collections at the same moment: one gets the code', async () => {
  const computer = await startComputer(house);
  const phone = house.wechat.phone('ada');
  await phone.scan(computer.scanUrl);
  await phone.approve(computer.number);
  const statuses = (await Promise.all(Array.from({ length: 8 }, () => computer.redeem()))).map((one) => one.status);
  assert.equal(statuses.filter((code) => code === 200).length, 1, String(statuses));
  assert.ok(statuses.every((code) => code < 500), String(statuses));
});

test('SEC-22 an openid or a phone number in a request changes nothing', async () => {
  const computer = await startComputer(house);
  const { openids } = await house.wechat.person('xiaoming');
  const claim = new URLSearchParams({ openid: Object.values(openids)[0], phone: '13800000000', user: 'xiaoming' });
  await fetch(`${computer.scanUrl}?${claim}`, { redirect: 'manual' });
  const posted = await computer.jar.post(`${computer.scanUrl}/approve`, Object.fromEntries(claim));
  assert.equal(posted.status, 400);
  assert.equal((await computer.status()).status, 'waiting');
});

test('SEC-62 a forged Host or forwarding header changes no link', async () => {
  const jar = new Jar({ 'user-agent': DESKTOP, 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', forwarded: 'host=evil.example' });
  const computer = await startComputer(house, '', jar);
  assert.ok(!computer.html.includes('evil.example'));
  assert.ok(computer.scanUrl.startsWith(`${house.server.url}/s/`));
});

test('SEC-65 every page, errors too, forbids framing, sniffing and foreign sources', async () => {
  const computer = await startComputer(house);
  const phone = house.wechat.phone('ada');
  await phone.scan(computer.scanUrl);
  const pages = [computer.page, `${house.server.url}/nothing/here`, `${house.server.url}/authorize`, `${house.server.url}/`, `${computer.scanUrl}/result`];
  const got = [...await Promise.all(pages.map((url) => computer.jar.get(url))), phone.page];
  for (const { url, headers } of got) {
    const policy = headers.get('content-security-policy');
    assert.match(policy, /default-src 'none'/, url);
    assert.match(policy, /frame-ancestors 'none'/, url);
    assert.doesNotMatch(policy, /unsafe-/, url);
    assert.equal(headers.get('x-content-type-options'), 'nosniff', url);
    assert.equal(headers.get('referrer-policy'), 'no-referrer', url);
    assert.match(headers.get('cache-control'), /no-store/, url);
  }
});

journey('SEC-65 the confirm page and the login page show nothing in another page\'s frame', async (stage) => {
  const computer = await signIn(await stage.desktop(), house.site);
  const phone = await stage.wechat();
  await scan(phone, await scanUrl(computer), 'xiaoming');
  for (const [device, url] of [[phone, phone.url()], [computer, computer.url()]]) {
    const trap = await device.context().newPage();
    await trap.goto(`${house.site.url}/`);
    await trap.evaluate((src) => new Promise((loaded) => {
      const frame = document.createElement('iframe');
      frame.onload = loaded;
      frame.src = src;
      document.body.append(frame);
    }), url);
    const framed = trap.frames().find((frame) => frame !== trap.mainFrame());
    assert.equal(await framed.locator('main').count(), 0);
    await trap.close();
  }
  const isRefusal = (text) => /frame-ancestors|X-Frame-Options/i.test(text);
  assert.ok(stage.violations.some(isRefusal), 'the browser says why, and this suite hears it');
  stage.violations = stage.violations.filter((text) => !isRefusal(text));
});

journey('SEC-19 the login page loads nothing from anywhere else', async (stage) => {
  const computer = await stage.desktop();
  const foreign = [];
  computer.on('request', (request) => {
    const { origin } = new URL(request.url());
    if (origin !== house.server.url && origin !== house.site.url) foreign.push(request.url());
  });
  computer.on('websocket', (socket) => {
    if (new URL(socket.url()).host !== new URL(house.server.url).host) foreign.push(socket.url());
  });
  await signIn(computer, house.site);
  await stage.camera(computer.locator('[data-qr]'));
  assert.deepEqual(foreign, []);
});
