/** Codes that nobody scans in time, in somebody else's page, on a server whose codes live for two seconds. */

import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { journeys, outcome as told } from '../support/browser.mjs';
import { startHouse } from '../support/house.mjs';
import { until } from '../support/wait.mjs';
import { begin, card, hide, number, outcome, requestsTo, scanUrl, startSdkSite, visit } from './support.mjs';

const journey = journeys();
let house;
let site;
before(async () => {
  house = await startHouse({ settings: '[login]\nscan_seconds = 2\nconfirm_seconds = 20\n' });
  site = await startSdkSite(house.server);
});
after(async () => {
  await site?.stop();
  await house?.stop();
});

const renewed = (page, old) => until('a fresh code', async () => {
  const now = await scanUrl(page);
  return now !== old && now;
});

journey('an expired code is replaced by itself, and the new one signs in', async (stage) => {
  const page = await visit(await stage.desktop(), site);
  await begin(page, site);
  await card(page, 'waiting').waitFor();
  const second = await renewed(page, await scanUrl(page));
  await renewed(page, second);
  const phone = house.wechat.phone('xiaoming');
  await until('a scan in time', async () => {
    try {
      return (await phone.scan(await scanUrl(page))).url.endsWith('/confirm');
    } catch (error) {
      return false; // whoever is late simply scans the next one
    }
  });
  assert.equal(await phone.approve(await number(page)), 'approved');
  assert.equal((await site.exchange((await outcome(page)).value)).name, '小明');
});

journey('while nobody looks nothing is replaced or asked; coming back replaces it', async (stage) => {
  const page = await visit(await stage.desktop(), site);
  await begin(page, site);
  await card(page, 'waiting').waitFor();
  await hide(page, true);
  const asked = requestsTo(page, site.issuer);
  const first = await scanUrl(page);
  const late = await stage.wechat(); // opening the link scans nothing
  await until('the code is over', async () => {
    await late.goto(first);
    return await told(late, 'expired').count() === 1;
  });
  assert.deepEqual(asked, []);
  await hide(page, false);
  await renewed(page, first);
  assert.match(asked[0], /status$/);
});

journey('without retry an expired code ends the call, under a number of its own', async (stage) => {
  const page = await visit(await stage.desktop(), site);
  await begin(page, site, { retry: false });
  assert.deepEqual((await outcome(page)).failed, { errMsg: 'login:fail expired', errCode: 1004, reason: 'expired' });
});
