/** News that does not get through one way gets through another (promise 7). */

import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { journeys, number, scanUrl, signIn, status } from '../support/browser.mjs';
import { claims, startHouse } from '../support/house.mjs';
import { until } from '../support/wait.mjs';

const journey = journeys();
let house;
before(async () => { house = await startHouse(); });
after(() => house?.stop());

/** Counts requests whose address fits. */
function count(page, pattern) {
  const seen = { requests: 0 };
  page.on('request', (request) => { if (pattern.test(request.url())) seen.requests += 1; });
  return seen;
}

/** As behind a proxy that knows nothing of WebSockets. */
const noSocket = (page) => page.routeWebSocket(/\/events$/, (socket) => socket.close());

/** Scans, sees that the computer hears of it, approves, sees the computer signed in. */
async function scanAndApprove(computer) {
  const phone = house.wechat.phone('xiaoming');
  await phone.scan(await scanUrl(computer));
  await status(computer, 'scanned').waitFor();
  assert.equal(await phone.approve(await number(computer)), 'approved');
  assert.equal((await claims(computer)).name, '小明');
}

journey('a socket carries the news, and nothing is asked', async (stage) => {
  const computer = await stage.desktop();
  const asked = count(computer, /\/(status|events)/);
  await signIn(computer, house.site);
  await scanAndApprove(computer);
  assert.equal(asked.requests, 0);
});

journey('with a proxy that lets no socket through, a stream of events carries the news', async (stage) => {
  const computer = await stage.desktop();
  await noSocket(computer);
  const [asked, streams] = [count(computer, /\/status/), count(computer, /\/events$/)];
  await signIn(computer, house.site);
  await scanAndApprove(computer);
  assert.equal(asked.requests, 0);
  assert.ok(streams.requests > 0);
});

journey('with a proxy that holds sockets back, a stream of events carries the news', async (stage) => {
  const computer = await stage.desktop();
  await computer.routeWebSocket(/\/events$/, () => {});
  const stream = computer.waitForRequest(/\/events$/);
  await signIn(computer, house.site);
  await stream;
  await scanAndApprove(computer);
});

journey('with socket and event stream blocked, held requests carry the news', async (stage) => {
  const computer = await stage.desktop();
  await noSocket(computer);
  await computer.route('**/events', (route) => route.abort());
  const [held, short] = [count(computer, /\/status\?wait=/), count(computer, /\/status$/)];
  await signIn(computer, house.site);
  await scanAndApprove(computer);
  assert.ok(held.requests > 0);
  assert.equal(short.requests, 0);
});

journey('with a proxy that holds the event stream back, held requests carry the news', async (stage) => {
  const computer = await stage.desktop();
  await noSocket(computer);
  await computer.route('**/events', () => {});
  const held = computer.waitForRequest(/\/status\?wait=/);
  await signIn(computer, house.site);
  await held;
  await scanAndApprove(computer);
});

journey('with held requests blocked as well, asking again and again carries the news', async (stage) => {
  const computer = await stage.desktop();
  await noSocket(computer);
  await computer.route('**/events', (route) => route.abort());
  await computer.route('**/status?wait=*', (route) => route.abort());
  const short = count(computer, /\/status$/);
  await signIn(computer, house.site);
  await computer.waitForResponse(/\/status$/);
  await scanAndApprove(computer);
  assert.ok(short.requests > 0);
});

for (const file of ['watch.js', 'request.js']) {
  journey(`a page whose ${file} did not arrive comes again by itself`, async (stage) => {
    const computer = await stage.desktop();
    let refused = 0;
    await computer.route(`**/sdk/*/${file}`, (route) => (refused++ < 2 ? route.abort() : route.continue()));
    await signIn(computer, house.site);
    await until('the page has come again', () => refused > 2);
    await scanAndApprove(computer);
  });
}

journey('a network that went away and came back loses nothing', async (stage) => {
  const computer = await signIn(await stage.desktop(), house.site);
  const [url, digits] = [await scanUrl(computer), await number(computer)];
  await computer.context().setOffline(true);
  const phone = house.wechat.phone('ada');
  await phone.scan(url);
  assert.equal(await phone.approve(digits), 'approved');
  await computer.context().setOffline(false);
  assert.equal((await claims(computer)).name, 'Ada');
});

journey('a redeem request that fails once is sent again', async (stage) => {
  const computer = await signIn(await stage.desktop(), house.site);
  let failures = 0;
  await computer.route('**/redeem', (route) => {
    failures += 1;
    return failures === 1 ? route.abort() : route.continue();
  });
  await scanAndApprove(computer);
  assert.equal(failures, 2);
});
