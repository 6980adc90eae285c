/** The server is killed as by a power cut, and comes back on the same port and data (promise 8). */

import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { journeys, number, outcome, scan, approve, scanUrl, signIn, status } from '../support/browser.mjs';
import { startComputer } from '../support/computer.mjs';
import { claims, startHouse } from '../support/house.mjs';
import { run } from '../support/processes.mjs';
import { until } from '../support/wait.mjs';

const journey = journeys();
let house;
before(async () => { house = await startHouse(); });
after(() => house?.stop());

async function powerCut() {
  await house.server.kill();
  await house.server.restart();
}

/** The open page draws a fresh QR without anybody's help; returns its link. */
const recovered = (page, old) => until('a fresh code by itself', async () => {
  const now = await scanUrl(page);
  return now !== old && await status(page, 'waiting').count() === 1 && now;
}, 30_000);

/** A whole scan of what the page shows now, by `person`; returns the claims. */
async function scanAgain(page, person) {
  const phone = house.wechat.phone(person);
  await phone.scan(await scanUrl(page));
  assert.equal(await phone.approve(await number(page)), 'approved');
  return claims(page);
}

journey('killed while waiting: the open page shows a fresh code by itself, and a new scan signs in', async (stage) => {
  const computer = await signIn(await stage.desktop(), house.site);
  const old = await scanUrl(computer);
  await powerCut();
  await recovered(computer, old);
  const phone = await stage.wechat();
  await phone.goto(old);
  await outcome(phone, 'expired').waitFor();
  assert.equal((await scanAgain(computer, 'xiaoming')).name, '小明');
});

journey('killed before the page had its script: the page comes again and shows a fresh code', async (stage) => {
  const computer = await stage.desktop();
  let asked = 0;
  await computer.route('**/sdk/*/watch.js', (route) => (asked++ === 0 ? route.abort() : route.continue()));
  await signIn(computer, house.site);
  const old = await scanUrl(computer);
  await powerCut();
  await recovered(computer, old);
  assert.equal((await scanAgain(computer, 'xiaoming')).name, '小明');
});

journey('killed after the scan: the old approval counts for nothing, and a new scan signs in', async (stage) => {
  const computer = await signIn(await stage.desktop(), house.site);
  const phone = await stage.wechat();
  const old = await scanUrl(computer);
  await scan(phone, old, 'xiaoming');
  await status(computer, 'scanned').waitFor();
  const digits = await number(computer);
  const before = house.site.signIns();
  await powerCut();
  await approve(phone, digits);
  await outcome(phone, 'expired').waitFor();
  await recovered(computer, old);
  assert.equal(house.site.signIns(), before, 'nobody was signed in');
  assert.equal((await scanAgain(computer, 'xiaohong')).name, '小红');
});

journey('killed after the approval, before the browser collected it: nobody is signed in, and a new scan signs in', async (stage) => {
  const computer = await stage.desktop();
  await computer.route('**/redeem', (route) => route.abort());
  await signIn(computer, house.site);
  const old = await scanUrl(computer);
  const phone = house.wechat.phone('xiaoming');
  await phone.scan(old);
  assert.equal(await phone.approve(await number(computer)), 'approved');
  await status(computer, 'approved').waitFor();
  const before = house.site.signIns();
  await powerCut();
  await computer.unroute('**/redeem');
  await recovered(computer, old);
  assert.equal(house.site.signIns(), before, 'nobody was signed in');
  assert.equal((await scanAgain(computer, 'ada')).name, 'Ada');
});

journey('killed after the browser collected: the code, the person and the session are kept', async (stage) => {
  const computer = await startComputer(house);
  const phone = house.wechat.phone('xiaoming');
  await phone.scan(computer.scanUrl);
  await phone.approve(computer.number);
  const { redirect } = await (await computer.redeem()).json();
  await powerCut();
  const first = await computer.arrive(redirect);
  assert.equal(first.name, '小明');
  await powerCut();
  const again = await computer.jar.get(`${house.site.url}/login`);
  const back = await computer.jar.get(again.headers.get('location'));
  const second = await computer.arrive(back.headers.get('location'));
  assert.equal(second.sub, first.sub, 'the session signs the same person in, without a scan');

  const page = await signIn(await stage.desktop(), house.site);
  assert.equal((await scanAgain(page, 'xiaoming')).sub, first.sub, 'a scan finds the same person');
});

journey('a code that was collected once cannot be collected again after a power cut', async () => {
  const computer = await startComputer(house);
  const phone = house.wechat.phone('ada');
  await phone.scan(computer.scanUrl);
  await phone.approve(computer.number);
  assert.equal((await computer.redeem()).status, 200);
  await powerCut();
  assert.equal((await computer.redeem()).status, 410, 'this login is over');
});

journey('clients are kept through all of it', async () => {
  await powerCut();
  assert.match(await run(['client', 'list', '--config', house.server.config]), /^site {2}/m);
});

journey('a server that is asked to stop ends at once, although browsers wait', async (stage) => {
  const computer = await signIn(await stage.desktop(), house.site);
  const old = await scanUrl(computer);
  assert.equal(await house.server.running.stop(), 0);
  await house.server.restart();
  await recovered(computer, old);
});
