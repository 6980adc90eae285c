/**
 * Engines that stop, hang, crawl, restart, lose everything or fail over, under nodes that people keep logging in to (promises
 * 1, 2, 7, 8 and 9). No node is restarted. Whoever did not say yes stays out, everybody else gets in, nothing that anybody was
 * told is lost, and the audit trail has every login.
 *
 * `AWAY_SECONDS` says for how long an engine is away; four unless told.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { startComputer } from '../support/computer.mjs';
import { frontDoor, health, opensAgain, wholeLogin } from '../support/door.mjs';
import { startCluster, startPostgres, startRedis, startSentinels } from '../support/engines.mjs';
import { startNodes } from '../support/nodes.mjs';
import { Crowd, audited } from '../support/people.mjs';
import { until } from '../support/wait.mjs';

const AWAY_SECONDS = Number(process.env.AWAY_SECONDS ?? 4);

/** The one thing here that is a length of time: how long an engine is away. */
const away = () => new Promise((back) => { setTimeout(back, 1000 * AWAY_SECONDS); });

let postgres;
before(async () => { postgres = await startPostgres(); });
after(() => postgres?.stop());

/** Two nodes over our PostgreSQL and these tickets. */
const houseOver = (tickets, more = {}) => startNodes({ records: postgres.url, tickets, count: 2, ...more });

/** While an engine is away, everybody is told so: people by a page, balancers by a status. */
async function isToldAtTheDoor(house) {
  const { status, html } = await frontDoor(house);
  assert.equal(status, 503, html);
  assert.match(html, /<h1/);
  // What was found last is told for a second.
  await until('both nodes say so', async () => (await Promise.all(house.nodes.map(health))).every(([ready]) => ready === 503));
  assert.deepEqual(await Promise.all(house.nodes.map(health)), [[503, 200], [503, 200]]);
}

/** People come and go while `trouble` happens; afterwards everything adds up. */
async function under(house, context, trouble) {
  await wholeLogin(house, 'ada');
  const pids = house.nodes.map((node) => node.running.child.pid);
  const crowd = new Crowd(house);
  await crowd.during(trouble);
  await opensAgain(house);
  context.diagnostic(await crowd.account());
  assert.deepEqual(house.nodes.map((node) => node.running.child.pid), pids, 'nobody was restarted');
  assert.ok(house.nodes.every((node) => !node.running.exited), 'no node gave up');
}

describe('PostgreSQL, under nodes with a Redis', () => {
  let redis;
  let house;
  before(async () => {
    redis = await startRedis();
    house = await houseOver(redis.url, { wires: true });
  });
  after(async () => {
    await house?.stop();
    await redis?.stop();
  });

  test('promise 8: it is stopped, and started again a while later', (context) => under(house, context, async () => {
    await postgres.end();
    await isToldAtTheDoor(house);
    await away();
    await postgres.start();
  }));

  test('promise 8: it is killed in the middle of everything, and again, and again', (context) => under(house, context, async () => {
    for (let round = 0; round < 3; round += 1) {
      await postgres.end('SIGKILL');
      await postgres.start();
      await opensAgain(house);
    }
  }));

  test('promise 9: it hangs for a while, with every connection open', (context) => under(house, context, async () => {
    postgres.pause();
    await isToldAtTheDoor(house);
    await away();
    postgres.resume();
  }));

  test('promise 9: it crawls: logins take their time, and nobody sees an error', async (context) => {
    house.cut.records.delay = 40;
    const crowd = new Crowd(house);
    await crowd.come((begun) => begun < 12, 3);
    house.cut.records.delay = 0;
    context.diagnostic(await crowd.account());
    assert.ok(crowd.ends.every(({ attempts }) => attempts === 1), 'everybody at the first attempt');
  });

  test('promise 9: it crawls so much that nothing is done in time: a clear page, and it heals by itself', (context) => under(house, context, async () => {
    house.cut.records.delay = 2000;
    await isToldAtTheDoor(house);
    await away();
    house.cut.records.delay = 0;
  }));
});

describe('PostgreSQL alone, for records and tickets', () => {
  let house;
  before(async () => { house = await houseOver('postgres:'); });
  after(() => house?.stop());

  test('promise 8: it is killed, and its open scans with it; people begin anew and nobody slips in', (context) => under(house, context, async () => {
    await postgres.end('SIGKILL');
    await isToldAtTheDoor(house);
    await away();
    await postgres.start();
  }));

  test('promise 9: it hangs for a while', (context) => under(house, context, async () => {
    postgres.pause();
    await isToldAtTheDoor(house);
    await away();
    postgres.resume();
  }));
});

describe('Redis, under nodes', () => {
  let redis;
  let house;
  before(async () => {
    redis = await startRedis();
    house = await houseOver(redis.url, { wires: true });
  });
  after(async () => {
    await house?.stop();
    await redis?.stop();
  });

  test('promise 8: it is stopped, and comes back empty a while later', (context) => under(house, context, async () => {
    await redis.end();
    await isToldAtTheDoor(house);
    await away();
    await redis.start();
  }));

  test('promise 8: it is flushed under everybody, again and again', (context) => under(house, context, async () => {
    for (let round = 0; round < 5; round += 1) {
      await wholeLogin(house, 'xiaoming').catch(() => {}); // it may be one of those that are lost
      await redis.ask('flushall');
    }
  }));

  test('promise 9: it hangs for a while, with every connection open', (context) => under(house, context, async () => {
    redis.pause();
    await isToldAtTheDoor(house);
    await away();
    redis.resume();
  }));

  test('promise 9: it crawls so much that nothing is done in time: a clear page, and it heals by itself', (context) => under(house, context, async () => {
    house.cut.tickets.delay = 2000;
    await isToldAtTheDoor(house);
    await away();
    house.cut.tickets.delay = 0;
  }));
});

describe('a Redis that Sentinels watch, under nodes', () => {
  let sentinels;
  let house;
  before(async () => {
    sentinels = await startSentinels();
    house = await houseOver(sentinels.url);
  });
  after(async () => {
    await house?.stop();
    await sentinels?.stop();
  });
  const isMaster = async (redis) => (await redis.ask('role').catch(() => '')).startsWith('master');
  const follows = async (replica, master) => (await replica.ask('info', 'replication')).includes('master_link_status:up')
    && (await master.ask('info', 'replication')).includes('state=online');

  test('promise 8: the master is killed: its replica takes over, and logins go on', (context) => under(house, context, async () => {
    await sentinels.master.end('SIGKILL');
    await until('the replica is the master', () => isMaster(sentinels.replica), 30_000);
    await opensAgain(house);
    await sentinels.master.start();
    await until('the former master follows', () => follows(sentinels.master, sentinels.replica), 30_000);
  }));

  test('promise 8: the master hangs, is replaced, and wakes up believing that it is still the master', (context) => under(house, context, async () => {
    sentinels.replica.pause();
    await until('the other one is the master', () => isMaster(sentinels.master), 30_000);
    await opensAgain(house);
    sentinels.replica.resume();
    await until('it follows', () => follows(sentinels.replica, sentinels.master), 30_000);
  }));
});

describe('a Redis cluster with replicas, under nodes', () => {
  let cluster;
  let house;
  before(async () => {
    cluster = await startCluster({ replicas: 1 });
    house = await houseOver(cluster.url);
  });
  after(async () => {
    await house?.stop();
    await cluster?.stop();
  });

  test('promise 8: a master dies: its replica takes over, and logins go on', (context) => under(house, context, async () => {
    const [dying, ...others] = cluster.masters;
    await dying.end('SIGKILL');
    await until('the cluster is whole again', async () => {
      const masters = (await others[0].ask('cluster', 'nodes')).split('\n').filter((line) => /master/.test(line) && !/fail/.test(line));
      return masters.length === 3 && /cluster_slots_fail:0/.test(await others[0].ask('cluster', 'info'));
    }, 30_000);
    await opensAgain(house);
    await dying.start();
  }));
});

describe('a Redis cluster without replicas, under nodes', () => {
  let cluster;
  let house;
  before(async () => {
    cluster = await startCluster();
    house = await houseOver(cluster.url);
  });
  after(async () => {
    await house?.stop();
    await cluster?.stop();
  });

  test('promise 8: a master dies: its tickets answer 503 and no other ticket is touched; when it is back, all is well', async () => {
    const dying = cluster.masters[0];
    const logins = await Promise.all(Array.from({ length: 12 }, async () => {
      const computer = await startComputer(house);
      const phone = house.wechat.phone('xiaoming');
      await phone.scan(computer.scanUrl);
      assert.equal(await phone.approve(computer.number), 'approved');
      return { computer, isThere: await dying.ask('keys', `*:${computer.scanCode}`) !== '' };
    }));
    const lost = logins.filter(({ isThere }) => isThere);
    const kept = logins.filter((login) => !lost.includes(login));
    assert.ok(lost.length > 0 && kept.length > 0, 'some of each');
    await dying.end('SIGKILL');
    for (const { computer } of lost) assert.equal((await computer.redeem()).status, 503);
    for (const { computer } of kept) assert.equal((await computer.finish()).name, '小明');
    await dying.start();
    // It is empty: what was in it is over, and nobody gets in by it.
    for (const { computer } of lost) {
      const answer = await until('its tickets are over', async () => {
        const redeemed = await computer.redeem();
        return redeemed.status !== 503 && redeemed;
      }, 30_000);
      assert.ok([404, 410].includes(answer.status), `redeem answers ${answer.status}`);
    }
    await until('every login page opens', async () => (await Promise.all(Array.from({ length: 9 }, () => frontDoor(house)))).every(({ status }) => status === 303), 30_000);
    await wholeLogin(house, 'ada');
    await audited(house, kept.map(({ computer }) => computer));
  });
});
