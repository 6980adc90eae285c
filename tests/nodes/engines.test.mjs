/**
 * Engines that are cut off, silent, or lose everything, under a running installation (promises 7, 8 and 9). The network
 * between a node and an engine is a wire that the test holds in its hands.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { startComputer } from '../support/computer.mjs';
import { frontDoor, opensAgain, wholeLogin } from '../support/door.mjs';
import { startRedis } from '../support/engines.mjs';
import { startNodes } from '../support/nodes.mjs';
import { until } from '../support/wait.mjs';

describe('two nodes over PostgreSQL and Redis', () => {
  let redis;
  let house;
  before(async () => {
    redis = await startRedis();
    house = await startNodes({ records: 'POSTGRES', tickets: redis.url, count: 2, wires: true });
  });
  after(async () => {
    await house?.stop();
    await redis?.stop();
  });

  for (const [engineName, wire] of [['the records', 'records'], ['the tickets', 'tickets']]) {
    for (const how of ['cut', 'deaden']) {
      test(`promise 9: with ${engineName} ${how === 'cut' ? 'refusing' : 'silent'}, people get a clear page, and it heals by itself`, async () => {
        await wholeLogin(house, 'ada');
        house.cut[wire][how]();
        const { status, html } = await frontDoor(house);
        assert.equal(status, 503, html);
        assert.match(html, /<h1/);
        await until('the node says that it is not ready', async () => (
          await fetch(`http://127.0.0.1:${house.nodes[0].port}/readyz`)).status === 503);
        const alive = await fetch(`http://127.0.0.1:${house.nodes[0].port}/healthz`);
        assert.equal(alive.status, 200, 'an engine that is down is no reason to restart a node');
        house.cut[wire].mend();
        await opensAgain(house);
        assert.equal((await wholeLogin(house, 'ada')).name, 'Ada');
      });
    }
  }

  test('promise 7: news that was lost while the tickets were out of reach is found afterwards', async () => {
    const computer = await startComputer(house);
    const phone = house.wechat.phone('xiaoming');
    await phone.scan(computer.scanUrl);
    house.cut.tickets.deaden();
    const during = await computer.jar.get(computer.url('status'), { headers: { accept: 'application/json' } });
    assert.equal(during.status, 503);
    house.cut.tickets.mend();
    await until('the same ticket answers again', async () => {
      const answer = await computer.jar.get(computer.url('status'), { headers: { accept: 'application/json' } });
      return answer.ok && (await answer.json()).status === 'scanned';
    }, 30_000);
    assert.equal(await phone.approve(computer.number), 'approved');
    assert.equal((await computer.finish()).name, '小明');
  });

  test('promise 8: a Redis that lost everything costs the open scans, and nobody is let in by it', async () => {
    const computer = await startComputer(house);
    const phone = house.wechat.phone('xiaohong');
    await phone.scan(computer.scanUrl);
    assert.equal(await phone.approve(computer.number), 'approved');
    const before = house.site.signIns();
    await redis.ask('flushall');
    const refused = await computer.redeem();
    assert.ok([404, 410].includes(refused.status), `redeem answers ${refused.status}`);
    assert.equal(house.site.signIns(), before);
    assert.equal((await wholeLogin(house, 'xiaohong')).name, '小红');
  });

  test('the audit trail has every sign-in, whatever happened to the engines', async () => {
    const { stdout } = await promisify(execFile)('psql', ['-At', house.database, '-c', 'select kind, count(*) from audit_events group by kind']);
    const kinds = Object.fromEntries(stdout.trim().split('\n').map((line) => line.split('|')));
    assert.ok(Number(kinds.signed_in) >= house.site.signIns(), stdout);
  });
});
