/**
 * Nodes that die at any moment, again and again, under hundreds of logins (promises 1, 2 and 8). Some people say no and
 * some type a wrong number; whatever dies when, those are never signed in, and everybody else is in the end.
 *
 * `LOGINS` says how many; a hundred unless told.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { signIn, journeys, number, scanUrl, status } from '../support/browser.mjs';
import { claims } from '../support/house.mjs';
import { startNodes } from '../support/nodes.mjs';
import { Crowd } from '../support/people.mjs';

const LOGINS = Number(process.env.LOGINS ?? 100);

const journey = journeys();
let house;
before(async () => { house = await startNodes({ records: 'POSTGRES', tickets: 'REDIS', count: 3 }); });
after(() => house?.stop());

/** Kills one node after the other and starts it again, until told to stop; two are always there. */
function havoc() {
  const done = new AbortController();
  let kills = 0;
  const raging = (async () => {
    while (!done.signal.aborted) {
      const node = house.nodes[kills % house.nodes.length];
      await node.kill();
      kills += 1;
      await node.restart();
    }
  })();
  return { kills: () => kills, async end() { done.abort(); await raging; } };
}

test('promise 8: nodes are killed all the time; nobody is let in without a yes, and everybody with one gets in', { timeout: 900_000 }, async (context) => {
  const storm = havoc();
  const crowd = new Crowd(house);
  await crowd.come((begun) => begun < LOGINS);
  await storm.end();
  context.diagnostic(`${await crowd.account()}, ${storm.kills()} kills`);
  assert.ok(storm.kills() > 3, 'nodes were killed meanwhile');
});

test('promise 8, SEC-78: whatever died when, the trail has a record of each login and of each code that was exchanged', async () => {
  const count = async (of) => Number((await promisify(execFile)('psql', ['-At', house.database, '-c', `select count(*) from ${of}`])).stdout);
  const answered = await count("grants where stage = 'fulfilled'");
  assert.ok(answered > 0);
  assert.equal(await count("audit_events where kind in ('signed_in', 'session_continued')"), answered);
  assert.equal(await count("audit_events where kind = 'tokens_issued'"), await count('codes where spent_at is not null'));
});

journey('promise 8: whoever waits in a browser does not notice that their node died, but for a moment', async (stage) => {
  for (const [index, node] of house.nodes.entries()) {
    house.balancer.choose = () => index;
    const computer = await signIn(await stage.desktop(), house.site);
    const phone = house.wechat.phone('xiaoming');
    await node.kill();
    await phone.scan(await scanUrl(computer));
    await status(computer, 'scanned').waitFor();
    assert.equal(await phone.approve(await number(computer)), 'approved');
    assert.equal((await claims(computer)).name, '小明');
    await node.restart();
  }
});
