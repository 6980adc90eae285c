/**
 * One installation of several nodes, no request of which needs to meet the node of the one before (promises 3, 7, 8 and 11).
 * Each pair of engines that an operator may choose carries all of it.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { startComputer } from '../support/computer.mjs';
import { location } from '../support/jar.mjs';
import { startNodes } from '../support/nodes.mjs';
import { until } from '../support/wait.mjs';

const PAIRS = [
  { records: 'POSTGRES', tickets: 'REDIS', count: 3 },
  { records: 'POSTGRES', tickets: 'postgres:', count: 3 },
  { records: 'MARIADB', tickets: 'REDIS_CLUSTER', count: 2 },
  { records: 'MARIADB', tickets: 'REDIS_SENTINEL', count: 2 },
];

/** Every step of a login on another node than the step before. */
const everyStepElsewhere = (count) => {
  let step = 0;
  return () => step++ % count;
};

/** Reads server-sent events of a computer; `next()` is the next status. */
async function stream(computer) {
  const answer = await computer.jar.get(computer.url('events'), { headers: { accept: 'text/event-stream' } });
  assert.equal(answer.status, 200);
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  return {
    async next() {
      for (;;) {
        const found = /^event: status\r?\ndata: (.*)\r?\n\r?\n/m.exec(text);
        if (found) {
          text = text.slice(found.index + found[0].length);
          return JSON.parse(found[1]).status;
        }
        const { done, value } = await reader.read();
        if (done) return 'ended';
        text += decoder.decode(value, { stream: true });
      }
    },
    close: () => reader.cancel().catch(() => {}),
  };
}

for (const pair of PAIRS) {
  describe(`${pair.count} nodes, records on ${pair.records}, tickets on ${pair.tickets}`, () => {
    let house;
    before(async () => { house = await startNodes(pair); });
    after(() => house?.stop());
    const last = pair.count - 1;

    test('promise 11: every step of a login on another node, and the browser hears of each by a push', async () => {
      house.balancer.choose = everyStepElsewhere(pair.count);
      const computer = await startComputer(house);
      const news = await stream(computer);
      assert.equal(await news.next(), 'waiting');
      const phone = house.wechat.phone('xiaoming');
      await phone.scan(computer.scanUrl);
      assert.equal(await news.next(), 'scanned');
      assert.equal(await phone.approve(computer.number), 'approved');
      assert.equal(await news.next(), 'approved');
      await news.close();
      assert.equal((await computer.finish()).name, '小明');
    });

    test('promise 3: of two approvals on two nodes at one moment one wins', async () => {
      house.balancer.choose = () => undefined;
      for (let round = 0; round < 5; round += 1) {
        const computer = await startComputer(house);
        const phone = house.wechat.phone('ada');
        await phone.scan(computer.scanUrl);
        const outcomes = await Promise.all([phone.approve(computer.number), phone.deny(), phone.approve(computer.number)]);
        const { status } = await computer.status();
        assert.ok(status === 'approved' || status === 'denied', status);
        // It is one phone: whichever tap counted, each is told what it did.
        assert.deepEqual(outcomes, [status, status, status]);
      }
    });

    test('promise 3: of many redemptions on all nodes at one moment one wins, and so does one exchange of its code', async () => {
      const computer = await startComputer(house);
      const phone = house.wechat.phone('xiaohong');
      await phone.scan(computer.scanUrl);
      await phone.approve(computer.number);
      const answers = await Promise.all(Array.from({ length: 6 }, () => computer.redeem()));
      const won = answers.filter((answer) => answer.status === 200);
      assert.equal(won.length, 1, answers.map((answer) => answer.status).join());
      const { redirect } = await won[0].json();
      const code = new URL(redirect).searchParams.get('code');
      const exchange = async () => (await fetch(`${house.balancer.url}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`site:${encodeURIComponent(house.site.secret)}`).toString('base64')}` },
        // Without the verifier of that browser it is refused: so the code is spent by the website itself, below.
        body: new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: `${house.site.url}/callback` }),
      })).status;
      assert.deepEqual(await Promise.all([exchange(), exchange()]), [400, 400]);
      const before = house.site.signIns();
      const arrivals = await Promise.all(Array.from({ length: 4 }, () => computer.jar.get(redirect)));
      assert.equal(arrivals.filter((answer) => answer.status === 303).length, 1);
      assert.equal(house.site.signIns(), before + 1);
    });

    test('a session that began on one node signs in on the other, and ends on both', async () => {
      house.balancer.choose = () => 0;
      const computer = await startComputer(house);
      const phone = house.wechat.phone('xiaoming');
      await phone.scan(computer.scanUrl);
      await phone.approve(computer.number);
      const first = await computer.finish();
      house.balancer.choose = () => last;
      const again = await location(await computer.jar.get(`${house.site.url}/login`));
      const back = await location(await computer.jar.get(again));
      assert.ok(back.startsWith(`${house.site.url}/callback`), `no session on the other node: ${back}`);
      assert.equal((await computer.arrive(back)).sub, first.sub);
    });

    test('a node that is asked to stop tells its waiting browsers to come back, and none loses its ticket', async () => {
      const leaving = house.nodes[last];
      house.balancer.choose = (path) => (path.includes('/events') ? last : 0);
      const computer = await startComputer(house);
      const news = await stream(computer);
      assert.equal(await news.next(), 'waiting');
      const ended = leaving.running.stop();
      assert.equal(await news.next(), 'ended');
      assert.equal(await ended, 0);
      const again = await stream(computer); // The balancer finds another node.
      assert.equal(await again.next(), 'waiting');
      const phone = house.wechat.phone('ada');
      await phone.scan(computer.scanUrl);
      assert.equal(await again.next(), 'scanned');
      assert.equal(await phone.approve(computer.number), 'approved');
      assert.equal(await again.next(), 'approved');
      await again.close();
      assert.equal((await computer.finish()).name, 'Ada');
      await leaving.restart();
    });

    test('promise 8: a node that is killed in the middle is noticed by nobody', async () => {
      house.balancer.choose = () => undefined;
      for (const moment of ['begun', 'scanned', 'approved']) {
        const computer = await startComputer(house);
        const phone = house.wechat.phone('xiaohong');
        const passes = async (now) => {
          if (now !== moment) return;
          await house.nodes[last].kill();
        };
        await passes('begun');
        await phone.scan(computer.scanUrl);
        await passes('scanned');
        assert.equal(await phone.approve(computer.number), 'approved');
        await passes('approved');
        assert.equal((await computer.finish()).name, '小红', moment);
        await house.nodes[last].restart();
      }
    });

    test('promise 10: no node wrote a code, a token or an openid into its log', async () => {
      const people = await Promise.all(['xiaoming', 'xiaohong', 'ada'].map((id) => house.wechat.person(id)));
      const openids = people.flatMap((person) => Object.values(person.openids ?? {}));
      await until('all nodes have logged something', () => house.nodes.every((node) => node.log().length > 0));
      for (const line of house.nodes.flatMap((node) => node.log())) {
        assert.doesNotMatch(line, /[?&](code|state)=|Bearer /, line);
        for (const openid of openids) assert.ok(!line.includes(openid), line);
      }
    });
  });
}
