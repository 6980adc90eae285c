/** Redis by a user who may do what the manual says and nothing else: whole logins, and nothing is ever refused to it. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { startComputer } from '../support/computer.mjs';
import { startCluster, startRedis, startSentinels } from '../support/engines.mjs';
import { startSandbox, startServer } from '../support/processes.mjs';
import { startSite } from '../support/site.mjs';
import { until } from '../support/wait.mjs';
import { WeChat } from '../support/wechat.mjs';

const MANUAL = new URL('../../docs/operating.md', import.meta.url);

const FACES = {
  'one server': async () => { const redis = await startRedis(); return { ...face(redis.url, [redis], []), stop: () => redis.stop() }; },
  Sentinels: async () => { const all = await startSentinels(); return { ...face(all.url, [all.master, all.replica], all.sentinels), stop: all.stop }; },
  'a cluster': async () => { const all = await startCluster(); return { ...face(all.url, all.nodes, []), stop: all.stop }; },
};
const face = (url, servers, sentinels) => ({ url, servers, sentinels });

/** The words in backticks that begin like this, as the manual wraps them. */
async function named(beginning) {
  const manual = await readFile(MANUAL, 'utf8');
  const [, after] = manual.split(`\`${beginning}`);
  assert.ok(after, `the manual has no \`${beginning}…\``);
  return (beginning + after.slice(0, after.indexOf('`'))).split(/\s+/);
}

describe('the rights that the manual names are enough', () => {
  let sandbox;
  before(async () => { sandbox = await startSandbox(); });
  after(() => sandbox?.stop());

  for (const [name, start] of Object.entries(FACES)) {
    test(`on ${name}`, async (t) => {
      const redis = await start();
      t.after(() => redis.stop());
      const ofServers = await named('~mashang:* ');
      const ofSentinels = await named('+@connection +sentinel');
      for (const server of redis.servers) assert.equal(await server.ask('acl', 'setuser', 'app', 'reset', 'on', '>word', ...ofServers), 'OK');
      for (const sentinel of redis.sentinels) assert.equal(await sentinel.ask('acl', 'setuser', 'app', 'reset', 'on', '>word', ...ofSentinels), 'OK');
      const node = await startServer({ sandbox, settings: `[tickets]\nurl = "${redis.url.replace('://', '://app:word@')}"\n` });
      t.after(() => node.stop());
      const site = await startSite(node);
      t.after(() => site.stop());
      const computer = await startComputer({ site });
      const news = await computer.jar.get(computer.url('events'), { headers: { accept: 'text/event-stream' } });
      let heard = '';
      news.body.pipeThrough(new TextDecoderStream()).pipeTo(new WritableStream({ write(text) { heard += text; } })).catch(() => {});
      const phone = new WeChat(sandbox.url).phone('xiaoming');
      await phone.scan(computer.scanUrl);
      await until('the scan is pushed', () => heard.includes('"scanned"'));
      assert.equal(await phone.approve(computer.number), 'approved');
      assert.equal((await computer.finish()).name, '小明');
      assert.equal((await fetch(`${node.url}/readyz`)).status, 200);
      for (const server of [...redis.servers, ...redis.sentinels]) assert.equal(await server.ask('acl', 'log'), '', 'nothing was refused');
    });
  }
});
