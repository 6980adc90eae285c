/**
 * Engines on machines of their own, and the link to them severed: nothing comes through, and nobody is told (promises 7, 8 and
 * 9). Unlike a wire in a program, the operating system still believes in every connection.
 *
 * `CUT_SECONDS` says for how long; six unless told, thirty before a release. Needs root, `ip` and `tc`.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { startComputer } from '../support/computer.mjs';
import { frontDoor, health, opensAgain, wholeLogin } from '../support/door.mjs';
import { startPostgres, startRedis } from '../support/engines.mjs';
import { startMachine, whyNot } from '../support/namespaces.mjs';
import { startNodes } from '../support/nodes.mjs';
import { audited } from '../support/people.mjs';
import { until } from '../support/wait.mjs';

const CUT_SECONDS = Number(process.env.CUT_SECONDS ?? 6);
const skip = await whyNot();

/** The one thing here that is a length of time: how long the link is down. Asks again and again meanwhile. */
async function whileCut(ask) {
  const end = performance.now() + 1000 * CUT_SECONDS;
  let rounds = 0;
  while (performance.now() < end) {
    await ask();
    rounds += 1;
  }
  return rounds;
}

describe('two nodes, PostgreSQL and Redis on four machines', { skip }, () => {
  const machines = {};
  const engines = {};
  /** By engine, the link of each node. */
  const links = { records: [], tickets: [] };
  let house;

  before(async () => {
    for (const [what, start] of [['records', startPostgres], ['tickets', startRedis]]) {
      machines[what] = await startMachine();
      const ours = await machines[what].link();
      for (const _ of [0, 1]) links[what].push(await machines[what].link());
      engines[what] = await start({ host: ours.far, within: machines[what].within });
    }
    house = await startNodes({
      records: engines.records.url,
      tickets: engines.tickets.url,
      count: 2,
      through: (url, what, index) => {
        const own = new URL(url);
        own.hostname = links[what][index].far;
        return own.href;
      },
    });
  });
  after(async () => {
    await house?.stop();
    for (const engine of Object.values(engines)) await engine.stop();
    for (const machine of Object.values(machines)) await machine.stop();
  });

  /** Three logins, each at another stage. */
  async function threeStages() {
    const [waiting, scanned, approved] = await Promise.all(['xiaoming', 'xiaohong', 'ada'].map(async (person) => (
      { computer: await startComputer(house), phone: house.wechat.phone(person) })));
    for (const { computer, phone } of [scanned, approved]) assert.equal((await phone.scan(computer.scanUrl)).status, 200);
    assert.equal(await approved.phone.approve(approved.computer.number), 'approved');
    return { waiting, scanned, approved };
  }

  /** Each goes on where it was, and gets in. */
  async function goOn({ waiting, scanned, approved }) {
    await waiting.phone.scan(waiting.computer.scanUrl);
    for (const { computer, phone } of [waiting, scanned]) assert.equal(await phone.approve(computer.number), 'approved');
    const names = await Promise.all([waiting, scanned, approved].map(({ computer }) => computer.finish()));
    assert.deepEqual(names.map(({ name }) => name), ['小明', '小红', 'Ada']);
    await audited(house, [waiting, scanned, approved].map(({ computer }) => computer));
  }

  /** What was found last is told for a second. */
  const saysItIsCutOff = (node) => until('the node says so', async () => (await health(node))[0] === 503);

  for (const what of ['tickets', 'records']) {
    test(`promise 9: every node loses its link to the ${what}: a clear page in time, no wrong answer, and it heals by itself`, async (context) => {
      house.balancer.choose = () => undefined;
      const logins = await threeStages();
      const pids = house.nodes.map((node) => node.running.child.pid);
      let slowest = 0;
      await Promise.all(links[what].map((link) => link.cut()));
      await Promise.all(house.nodes.map(saysItIsCutOff));
      const rounds = await whileCut(async () => {
        const [door, redeemed, early, ...states] = await Promise.all([
          frontDoor(house),
          logins.approved.computer.redeem(),
          logins.scanned.computer.redeem(),
          ...house.nodes.map(health),
        ]);
        slowest = Math.max(slowest, door.took);
        assert.equal(door.status, 503, door.html);
        assert.match(door.html, /<h1/);
        assert.deepEqual(states, [[503, 200], [503, 200]], 'not ready, and no reason to be restarted');
        assert.equal(redeemed.status, 503, 'an approval counts, and waits');
        // Where the tickets are at hand, the answer is known: nobody has approved.
        assert.ok([503, what === 'records' ? 409 : 503].includes(early.status), `redeemed too early: ${early.status}`);
        const { status } = await logins.waiting.computer.jar.get(logins.waiting.computer.url('status'), { headers: { accept: 'application/json' } });
        assert.ok([503, what === 'records' ? 200 : 503].includes(status), `status answers ${status}`);
      });
      await Promise.all(links[what].map((link) => link.heal()));
      const healed = performance.now();
      await opensAgain(house);
      await until('both nodes are ready', async () => (await Promise.all(house.nodes.map(health))).every(([ready]) => ready === 200), 30_000);
      context.diagnostic(`cut for ${CUT_SECONDS} s: ${rounds} rounds of questions, the slowest page after ${Math.round(slowest)} ms; all well ${Math.round(performance.now() - healed)} ms after it healed`);
      await goOn(logins);
      assert.deepEqual(house.nodes.map((node) => node.running.child.pid), pids, 'nobody was restarted');
    });

    test(`promise 8: one node loses its link to the ${what}: it says so, and the other one goes on alone`, async () => {
      house.balancer.choose = () => 1;
      const logins = await threeStages();
      await links[what][0].cut();
      await saysItIsCutOff(house.nodes[0]);
      const finished = [];
      await whileCut(async () => {
        const [severed, whole] = await Promise.all(house.nodes.map(health));
        assert.deepEqual([severed, whole], [[503, 200], [200, 200]], 'a balancer sees which one to leave out');
        const { computer } = logins.scanned;
        // The node that is cut off does not know; the other one does. Neither says that the login is over.
        house.balancer.choose = () => 0;
        const blind = await computer.jar.get(computer.url('status'), { headers: { accept: 'application/json' } });
        assert.ok([503, what === 'records' ? 200 : 503].includes(blind.status), `the node that is cut off answers ${blind.status}`);
        assert.notEqual((await logins.approved.computer.redeem()).status, 200);
        house.balancer.choose = () => 1;
        assert.equal((await computer.status()).status, 'scanned');
        finished.push(await wholeLogin(house, 'xiaoming'));
      });
      assert.ok(finished.length > 0 && finished.every(({ name }) => name === '小明'));
      await links[what][0].heal();
      await until('the node is ready again', async () => (await health(house.nodes[0]))[0] === 200, 30_000);
      house.balancer.choose = () => 0;
      await goOn(logins);
    });
  }
});
