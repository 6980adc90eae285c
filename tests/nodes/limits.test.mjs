/** What one address may ask for is counted by all nodes together (SEC-16, SEC-79). */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { startRedis } from '../support/engines.mjs';
import { DESKTOP, Jar } from '../support/jar.mjs';
import { startNodes } from '../support/nodes.mjs';
import { until } from '../support/wait.mjs';

/** More than a test asks for by the way; one comes back in six and in twelve seconds. */
const STARTS = 10;
const WRONG_SECRETS = 5;

for (const tickets of ['REDIS', 'postgres:']) {
  describe(`two nodes, tickets on ${tickets}`, () => {
    let redis;
    let house;
    before(async () => {
      if (tickets === 'REDIS') redis = await startRedis();
      const settings = `[limits]\nstarts_per_minute = ${STARTS}\ntoken_errors_per_minute = ${WRONG_SECRETS}`;
      house = await startNodes({ records: 'POSTGRES', tickets: redis?.url ?? tickets, count: 2, settings });
    });
    after(async () => {
      await house?.stop();
      await redis?.stop();
    });

    const url = (node, path) => `http://127.0.0.1:${house.nodes[node % 2].port}${path}`;

    /** Begins a login at a node, as a website sends people there. */
    async function start(node) {
      const query = new URLSearchParams({
        response_type: 'code', client_id: 'site', redirect_uri: `${house.site.url}/callback`, scope: 'openid', state: 's',
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
      });
      return new Jar({ 'user-agent': DESKTOP }).get(url(node, `/authorize?${query}`));
    }

    test('sec_16: logins begun at one node count at the other', async () => {
      // One after the other: of requests at the very same moment the last may carry a clock a millisecond behind the first's.
      for (let n = 0; n < STARTS; n += 1) assert.equal((await start(n)).status, 303, `start ${n}`);
      for (const node of [0, 1]) {
        const refused = await start(node);
        assert.equal(refused.status, 429, `node ${node}`);
        const wait = Number(refused.headers.get('retry-after'));
        assert.ok(wait >= 1 && wait <= 7, `one comes back in six seconds, not in ${wait}`);
      }
    });

    test('sec_79: wrong client secrets at one node count at the other', async () => {
      const guess = (node) => fetch(url(node, '/token'), {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from('site:wrong').toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'authorization_code', code: 'x', redirect_uri: `${house.site.url}/callback` }),
      });
      for (let n = 0; n < WRONG_SECRETS; n += 1) assert.equal((await guess(0)).status, 401);
      assert.equal((await guess(1)).status, 401, 'looked at, and counted');
      assert.equal((await guess(1)).status, 429, 'the other node knows now');
    });

    test('promise 9: while the engine is away each node counts for itself', { skip: tickets !== 'REDIS' }, async () => {
      await redis.stop();
      redis = undefined;
      await until('a node refuses by its own count', async () => (await start(0)).status === 429, 30_000);
      const text = house.nodes[0].log().join('\n');
      assert.equal(text.split('this node counts for itself').length, 2, 'told once');
    });
  });
}
