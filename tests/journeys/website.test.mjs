/** What websites may ask for: languages, sessions, silent answers, logout. */

import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { approve, journeys, number, outcome, scan, scanUrl, signIn, status } from '../support/browser.mjs';
import { claims, startHouse } from '../support/house.mjs';

const journey = journeys();
let house;
before(async () => { house = await startHouse(); });
after(() => house?.stop());

const language = (page) => page.locator('html').getAttribute('lang');

/** Signs in by scanning; returns the claims. */
async function scanToSignIn(page, person, query) {
  await signIn(page, house.site, query);
  const phone = house.wechat.phone(person);
  await phone.scan(await scanUrl(page));
  assert.equal(await phone.approve(await number(page)), 'approved');
  return claims(page);
}

const error = async (page) => JSON.parse(await page.locator('#error').innerText());

journey('Accept-Language chooses the language, on the computer and on the phone each its own', async (stage) => {
  const computer = await signIn(await stage.desktop({ locale: 'en-GB' }), house.site);
  assert.equal(await language(computer), 'en');
  const phone = await stage.wechat({ locale: 'zh-CN' });
  await scan(phone, await scanUrl(computer), 'xiaoming');
  assert.equal(await language(phone), 'zh-CN');
  assert.match(await phone.locator('button.button-yes').innerText(), /登录/);
  await status(computer, 'scanned').waitFor();
  assert.match(await computer.locator('.when-scanned').innerText(), /confirm on your phone/);
});

journey('the language switch changes the page, stays for the next one, and keeps the code', async (stage) => {
  const computer = await signIn(await stage.desktop({ locale: 'zh-CN' }), house.site);
  const url = await scanUrl(computer);
  assert.equal(await language(computer), 'zh-CN');
  await computer.locator('nav.languages a[hreflang="en"]').click();
  await computer.locator('html[lang="en"]').waitFor();
  assert.equal(await scanUrl(computer), url);
  await signIn(computer, house.site);
  assert.equal(await language(computer), 'en', 'remembered');
  await computer.locator('nav.languages a[hreflang="zh-CN"]').click();
  await computer.locator('html[lang="zh-CN"]').waitFor();
});

journey('ui_locales chooses the language of the login page, below the person\'s own choice', async (stage) => {
  const computer = await signIn(await stage.desktop({ locale: 'zh-CN' }), house.site, '?ui_locales=fr-CH+en-GB');
  assert.equal(await language(computer), 'en');
  await computer.locator('nav.languages a[hreflang="zh-CN"]').click();
  await signIn(computer, house.site, '?ui_locales=en');
  assert.equal(await language(computer), 'zh-CN', 'the person chose Chinese');
});

journey('every page of a login speaks both languages, sandbox included', async (stage) => {
  for (const locale of ['zh-CN', 'en-GB']) {
    const computer = await signIn(await stage.desktop({ locale }), house.site);
    const phone = await stage.wechat({ locale });
    await scan(phone, await scanUrl(computer), 'ada');
    await approve(phone, await number(computer));
    await outcome(phone, 'approved').waitFor();
    assert.equal(await language(phone), locale.slice(0, 2) === 'en' ? 'en' : 'zh-CN');
    await claims(computer);
  }
});

journey('prompt=none without a session is answered login_required, without showing anything', async (stage) => {
  const computer = await stage.desktop();
  await computer.goto(`${house.site.url}/login?prompt=none`);
  assert.equal(await error(computer), 'login_required');
});

journey('a second login needs no scan, silent ones included', async (stage) => {
  const computer = await stage.desktop();
  const first = await scanToSignIn(computer, 'xiaohong');
  await computer.goto(`${house.site.url}/login`);
  const second = await claims(computer);
  assert.equal(second.sub, first.sub);
  assert.equal(second.auth_time, first.auth_time);
  await computer.goto(`${house.site.url}/login?prompt=none`);
  assert.equal((await claims(computer)).sub, first.sub);
});

journey('SEC-55 prompt=login asks for a scan again, and auth_time moves', async (stage) => {
  const computer = await stage.desktop();
  const first = await scanToSignIn(computer, 'xiaoming');
  const second = await scanToSignIn(computer, 'xiaoming', '?prompt=login');
  assert.equal(second.sub, first.sub);
  assert.ok(second.auth_time >= first.auth_time);
  assert.equal(house.server.log().filter((line) => /ERROR/.test(line)).length, 0);
});

journey('another person may scan with prompt=login, and is then the one who is signed in', async (stage) => {
  const computer = await stage.desktop();
  const first = await scanToSignIn(computer, 'xiaoming');
  const second = await scanToSignIn(computer, 'xiaohong', '?prompt=login');
  assert.notEqual(second.sub, first.sub);
  await computer.goto(`${house.site.url}/login?prompt=none`);
  assert.equal((await claims(computer)).sub, second.sub);
});

journey('logout ends the session: the website gets its person back signed out, and the next login needs a scan', async (stage) => {
  const computer = await stage.desktop();
  await scanToSignIn(computer, 'ada');
  await computer.locator('#logout').click();
  await computer.locator('#login').waitFor();
  assert.equal(new URL(computer.url()).origin, house.site.url);
  await computer.goto(`${house.site.url}/login?prompt=none`);
  assert.equal(await error(computer), 'login_required');
});

journey('SEC-58 logout without a proof of who asks is asked of the person first', async (stage) => {
  const computer = await stage.desktop();
  await scanToSignIn(computer, 'ada');
  await computer.goto(`${house.server.url}/logout`);
  await computer.goto(`${house.site.url}/login?prompt=none`);
  await claims(computer);
  await computer.goto(`${house.server.url}/logout`);
  await computer.locator('main form button').click();
  await computer.locator('main.result-approved').waitFor();
  await computer.goto(`${house.site.url}/login?prompt=none`);
  assert.equal(await error(computer), 'login_required');
});

journey('a yes to a logout that a website asked for without proof leads back to the website', async (stage) => {
  const computer = await stage.desktop();
  await scanToSignIn(computer, 'ada');
  const back = `${house.site.url}/`;
  const asked = new URLSearchParams({ client_id: 'site', post_logout_redirect_uri: back });
  await computer.goto(`${house.server.url}/logout?${asked}`);
  await computer.locator('main form button').click();
  await computer.waitForURL(back);
  await computer.goto(`${house.site.url}/login?prompt=none`);
  assert.equal(await error(computer), 'login_required');
});

journey('a website may ask by a form from another site: whoever is signed in stays so, and a login that waits goes on', async (stage) => {
  const computer = await stage.desktop();
  await scanToSignIn(computer, 'ada');
  const waiting = await signIn(await computer.context().newPage(), house.site, '?prompt=login');
  // Browsers send SameSite=Lax cookies with no form from another site, which to them the website is.
  await computer.goto(house.site.url);
  await computer.evaluate(([action, fields]) => {
    const form = Object.assign(document.createElement('form'), { method: 'post', action });
    for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement('input'), { name, value }));
    document.body.append(form);
    form.submit();
  }, [`${house.server.url}/authorize`, {
    client_id: 'site', redirect_uri: `${house.site.url}/callback`, response_type: 'code', scope: 'openid', state: 'of-a-form',
    prompt: 'none', code_challenge: 'x'.repeat(43), code_challenge_method: 'S256',
  }]);
  await computer.waitForURL(`${house.site.url}/callback?**`);
  const answer = new URL(computer.url()).searchParams;
  assert.ok(answer.get('code') && answer.get('state') === 'of-a-form', computer.url());
  const phone = house.wechat.phone('ada');
  await phone.scan(await scanUrl(waiting));
  assert.equal(await phone.approve(await number(waiting)), 'approved');
  assert.equal((await claims(waiting)).name, 'Ada');
});

journey('two tabs of one browser are two logins, and each website visit gets its own answer', async (stage) => {
  const left = await signIn(await stage.desktop(), house.site);
  const right = await signIn(await left.context().newPage(), house.site);
  const phones = [house.wechat.phone('xiaoming'), house.wechat.phone('xiaohong')];
  await phones[0].scan(await scanUrl(left));
  await phones[1].scan(await scanUrl(right));
  assert.equal(await phones[0].approve(await number(left)), 'approved');
  assert.equal((await claims(left)).name, '小明');
  await status(right, 'scanned').waitFor();
  assert.equal(await phones[1].approve(await number(right)), 'approved');
  assert.equal((await claims(right)).name, '小红');
});

journey('a wrong authorization request is explained on our own page, and redirected nowhere', async (stage) => {
  const computer = await stage.desktop({ locale: 'en-GB' });
  const answer = await computer.goto(`${house.server.url}/authorize?client_id=site&response_type=code&redirect_uri=https://evil.example/`);
  assert.equal(answer.status(), 400);
  assert.match(await computer.locator('main').innerText(), /not valid/);
  assert.equal(new URL(computer.url()).origin, house.server.url);
});
