/**
 * Nodes that start for the first time at one moment, each with a master key of its own: whose keys the database holds is
 * decided once (promises 3 and 8). Else each would seal what the other cannot open, and neither could ever start again.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { startComputer } from '../support/computer.mjs';
import { engine, freshDatabase } from '../support/nodes.mjs';
import { startSandbox, startServer, temporaryFolder } from '../support/processes.mjs';
import { startSite } from '../support/site.mjs';
import { WeChat } from '../support/wechat.mjs';

const kids = async (node) => (await (await fetch(`${node.url}/jwks`)).json()).keys.map((key) => key.kid).sort();

describe('two nodes that start for the first time at one moment', () => {
  let folder;
  let sandbox;
  before(async () => {
    folder = await temporaryFolder();
    sandbox = await startSandbox();
  });
  after(async () => {
    await sandbox?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  let count = 0;
  /** Two nodes over one fresh database, not started; each has a path of its own for its key. */
  async function strangers(t, records) {
    count += 1;
    const url = records === 'SQLITE' ? `sqlite:${join(folder, `${count}.db`)}?mode=rwc` : await freshDatabase(engine(records));
    return Promise.all(['one', 'other'].map(async (name) => {
      const key = join(folder, `${count}-${name}.key`);
      const node = await startServer({ sandbox, starts: false, store: `url = "${url}"\nmaster_key_file = "${key}"` });
      t.after(() => node.stop());
      return { node, key };
    }));
  }

  /** Starts both; returns the one that serves and the one that said why it does not. */
  async function race(both) {
    const outcomes = await Promise.allSettled(both.map(({ node }) => node.restart()));
    const serving = both.filter((_, index) => outcomes[index].status === 'fulfilled');
    const [loser, ...more] = both.filter((_, index) => outcomes[index].status === 'rejected');
    assert.equal(serving.length, 1, outcomes.map(({ reason }) => reason?.message ?? 'serves').join('\n'));
    assert.deepEqual(more, []);
    assert.equal(await loser.node.running.exit, 1);
    return [serving[0], loser];
  }

  for (const records of ['POSTGRES', 'MARIADB', 'SQLITE']) {
    test(`promise 3: with two master keys, one serves and the other says which file to copy, on ${records}`, async (t) => {
      for (let round = 0; round < 3; round += 1) {
        const both = await strangers(t, records);
        await Promise.all(both.map(({ key }) => writeFile(key, randomBytes(32), { mode: 0o600 })));
        const [winner, loser] = await race(both);
        const said = loser.node.running.stderr;
        assert.ok(said.includes(`${loser.key} is another master key`), said);
        assert.match(said, /copy the master key file .*MASHANG_STORE__MASTER_KEY_FILE.*另一把主密钥.*复制主密钥文件/, said);
        assert.equal((await kids(winner.node)).length, 3, 'nobody else made keys');
        assert.equal((await fetch(`${winner.node.url}/readyz`)).status, 200);

        await copyFile(winner.key, loser.key);
        await loser.node.restart();
        assert.deepEqual(await kids(loser.node), await kids(winner.node));
        // The winner, too: nothing in the database is sealed with anything else.
        assert.equal(await winner.node.running.stop(), 0);
        await winner.node.restart();
      }
    });
  }

  for (const records of ['POSTGRES', 'MARIADB', 'SQLITE']) {
    test(`promise 3: with one master key, they make one set of signing keys, on ${records}`, async (t) => {
      for (let round = 0; round < 3; round += 1) {
        const both = await strangers(t, records);
        const secret = randomBytes(32);
        await Promise.all(both.map(({ key }) => writeFile(key, secret, { mode: 0o600 })));
        await Promise.all(both.map(({ node }) => node.restart()));
        const [one, other] = await Promise.all(both.map(({ node }) => kids(node)));
        assert.equal(one.length, 3);
        assert.deepEqual(other, one, 'each publishes what the other signs with');
      }
    });
  }

  test('promise 8: without any key, one makes it, and the other serves once it has a copy', async (t) => {
    const [winner, loser] = await race(await strangers(t, 'POSTGRES'));
    // It was too late to make one, or made one that came too late.
    assert.match(loser.node.running.stderr, /is missing, .*copy it from another node|is another master key/);
    assert.ok(loser.node.running.stderr.includes(loser.key), loser.node.running.stderr);
    await copyFile(winner.key, loser.key);
    await loser.node.restart();
    const site = await startSite(loser.node);
    t.after(() => site.stop());
    const wechat = new WeChat(sandbox.url);
    const computer = await startComputer({ site });
    const phone = wechat.phone('xiaoming');
    await phone.scan(computer.scanUrl);
    assert.equal(await phone.approve(computer.number), 'approved');
    assert.equal((await computer.finish()).name, '小明');
  });
});
