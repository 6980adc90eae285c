/**
 * Nodes that die at any moment, again and again, under hundreds of logins (promises 1, 2 and 8). Some people say no and
 * some type a wrong number; whatever dies when, those are never signed in, and everybody else is in the end.
 *
 * `LOGINS` says how many; a hundred unless told.
 */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { signIn, journeys, number, scanUrl, status } from '../support/browser.mjs';
import { startComputer } from '../support/computer.mjs';
import { claims } from '../support/house.mjs';
import { startNodes } from '../support/nodes.mjs';

const LOGINS = Number(process.env.LOGINS ?? 100);
const AT_ONCE = 6;
const PEOPLE = ['xiaoming', 'xiaohong', 'ada'];
/** What a person does, in turn. */
const WILLS = ['yes', 'yes', 'yes', 'no', 'yes', 'wrong'];

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

/** Tries a step again, as people and pages do, when a node died under it; `undefined` when it does not come to pass. */
async function persist(step) {
  for (let tries = 0; tries < 40; tries += 1) {
    try {
      const result = await step();
      if (result !== undefined) return result;
    } catch { /* 502, or a connection that broke */ }
  }
  return undefined;
}

/** One person's evening: begins until it ends as they want it, or gives up. Returns how it ended. */
async function visit(index) {
  const [person, will] = [PEOPLE[index % PEOPLE.length], WILLS[index % WILLS.length]];
  for (let attempts = 1; attempts <= 10; attempts += 1) {
    const outcome = await attempt(person, will).catch((error) => {
      if (error instanceof assert.AssertionError) throw error;
      return 'broken'; // a node died under it: they begin again
    });
    if (outcome !== 'broken') return { will, outcome, attempts };
  }
  return { will, outcome: 'gave up', attempts: 10 };
}

async function attempt(person, will) {
  const computer = await startComputer(house);
  const phone = house.wechat.phone(person);
  const page = await persist(async () => {
    const answer = await phone.scan(computer.scanUrl);
    return answer.ok ? answer : undefined;
  });
  if (!page) return 'broken';
  // Nothing a page shows is an approval: a browser that asks too early gets nothing.
  const early = await computer.redeem();
  assert.notEqual(early.status, 200, 'redeemed before the person said yes');
  const digits = will === 'wrong' ? String((Number(computer.number) + 1) % 100).padStart(2, '0') : computer.number;
  const said = await persist(() => (will === 'no' ? phone.deny() : phone.approve(digits)));
  if (will !== 'yes') {
    const collected = await persist(async () => (await computer.redeem()).status);
    return collected === 200 ? 'let in' : 'kept out';
  }
  if (said !== 'approved') return 'broken';
  const redirect = await persist(async () => {
    const answer = await computer.redeem();
    if (answer.status === 410 || answer.status === 404) return ''; // collected, and the answer died on the way
    return answer.status === 200 ? (await answer.json()).redirect : undefined;
  });
  if (!redirect) return 'broken';
  const who = await computer.arrive(redirect);
  assert.ok(who.sub);
  return 'let in';
}

test('promise 8: nodes are killed all the time; nobody is let in without a yes, and everybody with one gets in', { timeout: 900_000 }, async (context) => {
  const storm = havoc();
  const ends = [];
  let next = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < LOGINS) {
      const index = next;
      next += 1;
      ends.push(await visit(index));
    }
  }));
  await storm.end();
  context.diagnostic(`${LOGINS} people, ${storm.kills()} kills, ${ends.reduce((sum, end) => sum + end.attempts, 0)} attempts`);
  assert.ok(storm.kills() > 3, 'nodes were killed meanwhile');
  for (const { will, outcome } of ends) assert.equal(outcome, will === 'yes' ? 'let in' : 'kept out', will);
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
