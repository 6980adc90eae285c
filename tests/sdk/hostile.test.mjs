/** Pages that are hostile or wrong: nothing leaks, nothing runs. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { after, before } from 'node:test';

import { journeys, Stage } from '../support/browser.mjs';
import { startHouse } from '../support/house.mjs';
import { begin, card, number, outcome, scanUrl, startSdkSite, visit } from './support.mjs';

const journey = journeys();
const NAME = '<img src=x onerror="window.pwned=1"></script><b>粗体</b>';
let house;
let site;
let stranger;
before(async () => {
  house = await startHouse();
  site = await startSdkSite(house.server, { name: NAME });
  stranger = await startSdkSite(house.server, { id: 'stranger' });
});
after(async () => {
  await stranger?.stop();
  await site?.stop();
  await house?.stop();
});

/** Tells what `scanLogin` fails with on a page of `at` that names the client `id`. */
async function refusedTo(stage, at, id) {
  const page = await visit(await stage.desktop(), at);
  await begin(page, { issuer: house.server.url, id });
  return (await outcome(page)).failed;
}

journey('SEC-59 a page of another website cannot begin a login of this one', async (stage) => {
  assert.equal((await refusedTo(stage, stranger, site.id)).reason, 'not_allowed');
});

journey('SEC-59 a page of nobody’s is told that it is not allowed, not that the network is down', async (stage) => {
  const nobody = await startSdkSite(house.server, { register: false });
  try {
    const { reason, errMsg } = await refusedTo(stage, nobody, site.id);
    assert.equal(reason, 'not_allowed');
    assert.ok(errMsg.endsWith(`：mashang client set ${site.id} --add-redirect-uri ${nobody.url}/`), errMsg);
  } finally {
    await nobody.stop();
  }
});

journey('a client that does not exist is refused like a foreign one', async (stage) => {
  assert.equal((await refusedTo(stage, site, 'no-such-client')).reason, 'not_allowed');
});

journey('a redirect address of somebody else is refused', async (stage) => {
  const page = await visit(await stage.desktop(), site);
  await begin(page, site, { redirectUri: `${stranger.url}/cb` });
  assert.equal((await outcome(page)).failed.reason, 'invalid_request');
});

journey('script in the name of a website is text', async (stage) => {
  const page = await visit(await stage.desktop(), site);
  await begin(page, site);
  await card(page, 'waiting').waitFor();
  assert.equal(await page.locator('.card h2 bdi').innerText(), NAME);
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  assert.equal(await page.locator('.card img, .card script').count(), 0);
});

journey('forged messages, from the page, a frame or another window, are no answers', async (stage) => {
  const page = await visit(await stage.desktop(), site);
  await begin(page, site, { state: 'known-state' });
  await card(page, 'waiting').waitFor();
  await page.getByRole('tab').nth(1).click();
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.getByRole('button', { name: '在新窗口中继续' }).click()]);
  await popup.waitForLoadState();
  const forged = { type: 'authorization_response', response: { code: 'forged', state: 'known-state', iss: house.server.url } };
  await page.evaluate((message) => {
    window.postMessage(message, '*');
    window.dispatchEvent(new MessageEvent('message', { data: message, origin: 'https://login.example' }));
  }, forged);
  const thief = await page.context().newPage();
  await visit(thief, stranger);
  await thief.evaluate(([message, url]) => {
    const victim = window.open(url, 'victim');
    victim.postMessage(message, '*');
  }, [forged, `${site.url}/cb`]);
  // The popup itself, led to a stranger's page, speaks from the right window and the wrong origin.
  await popup.evaluate((url) => { location.href = url; }, `${stranger.url}/`);
  await popup.waitForURL(`${stranger.url}/`);
  await popup.evaluate((message) => { window.opener.postMessage(message, '*'); }, forged);
  await page.evaluate(() => new Promise((done) => { setTimeout(done); }));
  assert.deepEqual(await page.evaluate(() => window.calls), []);
  await page.getByRole('tab').first().click();
  await card(page, 'waiting').waitFor();
  const phone = house.wechat.phone('ada');
  await phone.scan(await scanUrl(page));
  await phone.approve(await number(page));
  assert.equal((await outcome(page)).value.state, 'known-state');
});

journey('the files at the server’s address are those of its integrity values, for any website', async (stage) => {
  const page = await stage.desktop();
  await page.goto(`${site.url}/served?issuer=${encodeURIComponent(house.server.url)}`);
  await page.locator('html[data-ready]').waitFor({ state: 'attached' });
  const { base, integrity } = await (await fetch(`${house.server.url}/sdk`)).json();
  for (const name of Object.keys(integrity)) {
    const bytes = Buffer.from(await (await fetch(base + name)).arrayBuffer());
    assert.equal(integrity[name], `sha384-${createHash('sha384').update(bytes).digest('base64')}`);
  }
  await begin(page, site);
  await card(page, 'waiting').waitFor();
});

journey('a page that saw the code cannot watch or collect it', async (stage) => {
  const page = await visit(await stage.desktop(), site);
  let urls;
  page.on('response', async (response) => {
    if (response.url().endsWith('/api/browser/logins') && response.request().method() === 'POST') urls = (await response.json()).face.urls;
  });
  await begin(page, site);
  await card(page, 'waiting').waitFor();
  const thief = await visit(await stage.desktop(), site);
  const answers = await thief.evaluate(async ({ status, redeem }) => {
    const ask = async (url, method) => (await fetch(url, { method, headers: { authorization: `Bearer ${'x'.repeat(43)}` } })).status;
    return [await ask(status, 'GET'), await ask(redeem, 'POST')];
  }, urls);
  assert.deepEqual(answers, [404, 404]);
});

journey('an issuer that is somebody else’s server gets no login of ours', async (stage) => {
  const listener = createServer((request, response) => {
    const headers = { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'authorization, content-type', 'content-type': 'application/json' };
    response.writeHead(request.method === 'POST' ? 201 : 200, headers);
    response.end(JSON.stringify({ grant: 'g', ticket: 't', secret: 's', issuer: house.server.url, channels: [], site: {} }));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const other = new Stage(stage.browser);
  try {
    // Its own policy would forbid the request; this page has none.
    const page = await other.desktop({ bypassCSP: true });
    await visit(page, site);
    await begin(page, { issuer: `http://127.0.0.1:${listener.address().port}`, id: 'sdk' });
    assert.equal((await outcome(page)).failed.reason, 'mismatch');
  } finally {
    await other.close();
    listener.closeAllConnections();
    listener.close();
  }
});
