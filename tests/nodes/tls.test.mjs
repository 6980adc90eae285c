/**
 * Engines that speak TLS alone, with certificates of an authority that no operating system knows (promise 12): with it, logins
 * work on every engine; with another one, or at another name, a node does not start and says what to look at.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { startAuthority } from '../support/authority.mjs';
import { startComputer } from '../support/computer.mjs';
import { startCluster, startMariadb, startPostgres, startRedis, startSentinels } from '../support/engines.mjs';
import { startSandbox, startServer, temporaryFolder } from '../support/processes.mjs';
import { startSite } from '../support/site.mjs';
import { until } from '../support/wait.mjs';
import { WeChat } from '../support/wechat.mjs';

describe('engines that speak TLS alone', () => {
  const engines = {};
  let folder;
  let sandbox;
  let ours;
  let theirs;

  before(async () => {
    folder = await temporaryFolder();
    ours = await startAuthority(folder, 'ours');
    theirs = await startAuthority(folder, 'theirs');
    sandbox = await startSandbox();
    engines.postgres = await startPostgres({ tls: await ours.issue('localhost') });
    engines.mariadb = await startMariadb({ tls: await ours.issue('localhost') });
    await engines.mariadb.ask('create database mashang');
    engines.redis = await startRedis({ tls: await ours.issue('localhost') });
    engines.sentinels = await startSentinels({ tls: await ours.issue('localhost') });
    engines.cluster = await startCluster({ tls: await ours.issue('localhost') });
  });
  after(async () => {
    for (const engine of Object.values(engines)) await engine.stop();
    await sandbox?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** A node that has not started. */
  async function nodeOver({ store, tickets = 'url = "memory:"' }) {
    const key = join(folder, 'master.key');
    await writeFile(key, randomBytes(32), { flag: 'wx', mode: 0o600 }).catch(() => {}); // the one of the first node
    const where = store && `url = "${store}"\nmaster_key_file = "${key}"`;
    return startServer({ sandbox, starts: false, store: where, settings: `[tickets]\n${tickets}\n` });
  }

  const postgresBy = ({ host = 'localhost', ca = ours.ca, mode = 'verify-full' } = {}) =>
    `postgres://postgres@${host}:${engines.postgres.port}/postgres?sslmode=${mode}&sslrootcert=${ca}`;
  const mariadbBy = ({ host = 'localhost', ca = ours.ca } = {}) =>
    `mysql://root@${host}:${engines.mariadb.port}/mashang?ssl-mode=VERIFY_IDENTITY&ssl-ca=${ca}`;
  const ticketsBy = (url, ca = ours.ca) => `url = "${url}"\n${ca ? `ca_file = "${ca}"` : ''}`;

  for (const [tickets, store] of [['redis', postgresBy], ['sentinels', mariadbBy], ['cluster', postgresBy]]) {
    test(`a whole login, with records on ${store === mariadbBy ? 'MariaDB' : 'PostgreSQL'} and tickets on Redis (${tickets}), all by verified TLS`, async (t) => {
      const node = await nodeOver({ store: store(), tickets: ticketsBy(engines[tickets].url) });
      t.after(() => node.stop());
      await node.restart();
      const site = await startSite(node, `site-${tickets}`);
      t.after(() => site.stop());
      const phone = new WeChat(sandbox.url).phone('xiaoming');
      const computer = await startComputer({ site });
      const news = await computer.jar.get(computer.url('events'), { headers: { accept: 'text/event-stream' } });
      let heard = '';
      news.body.pipeThrough(new TextDecoderStream()).pipeTo(new WritableStream({ write(text) { heard += text; } })).catch(() => {});
      await phone.scan(computer.scanUrl);
      await until('the scan is pushed', () => heard.includes('"scanned"'));
      assert.equal(await phone.approve(computer.number), 'approved');
      assert.equal((await computer.finish()).name, '小明');
    });
  }

  /** It does not start, and says why in these words. */
  async function isRefused(wanted, ...words) {
    const node = await nodeOver(wanted);
    await assert.rejects(() => node.restart());
    assert.equal(await node.running.exit, 1);
    for (const word of words) assert.match(node.running.stderr, word);
    assert.doesNotMatch(node.running.stderr, /are the database and its user there|is not accepted.*start the engine|start the engine.*is not accepted/, 'nobody is sent the wrong way');
    await node.stop();
  }

  for (const tickets of ['redis', 'sentinels', 'cluster']) {
    test(`Redis (${tickets}) with a certificate that does not count is refused, by name`, async () => {
      const { url } = engines[tickets];
      await isRefused({ tickets: ticketsBy(url, theirs.ca) }, /the certificate of Redis at rediss\S*:\/\/localhost.* is not accepted.*UnknownIssuer.*tickets\.ca_file/);
      await isRefused({ tickets: ticketsBy(url, null) }, /is not accepted.*UnknownIssuer.*tickets\.ca_file/);
      await isRefused({ tickets: ticketsBy(url.replaceAll('localhost', '127.0.0.1')) }, /the certificate of Redis at rediss\S*:\/\/127\.0\.0\.1.* is not accepted.*not valid for name.*one of its names/);
    });
  }

  test('PostgreSQL with a certificate that does not count is refused, with what to look at', async () => {
    await isRefused({ store: postgresBy({ ca: theirs.ca }) }, /no TLS with the database server.*sslrootcert.*UnknownIssuer/);
    await isRefused({ store: postgresBy({ host: '127.0.0.1' }) }, /no TLS with the database server.*one of its names.*not valid for name/);
    await isRefused({ store: postgresBy({ ca: join(folder, 'nowhere.pem') }) }, /a file that store\.url names is not there.*sslrootcert/);
  });

  test('MariaDB with a certificate that does not count is refused, with what to look at', async () => {
    await isRefused({ store: mariadbBy({ ca: theirs.ca }) }, /no TLS with the database server.*ssl-ca.*UnknownIssuer/);
    await isRefused({ store: mariadbBy({ host: '127.0.0.1' }) }, /no TLS with the database server.*one of its names.*not valid for name/);
  });

  test('an engine without TLS is refused where TLS was asked for', async () => {
    const [plainPostgres, plainRedis] = await Promise.all([startPostgres(), startRedis()]);
    try {
      await isRefused({ store: `postgres://postgres@localhost:${plainPostgres.port}/postgres?sslmode=verify-full&sslrootcert=${ours.ca}` }, /does it speak TLS/);
      await isRefused({ tickets: ticketsBy(`rediss://localhost:${plainRedis.port}`) }, /is TLS spoken at that port\?/);
    } finally {
      await Promise.all([plainPostgres.stop(), plainRedis.stop()]);
    }
  });

  test('promise 9: a certificate that stops to count under a running node is told in its log; when it counts again, all is well', async (t) => {
    const right = await ours.issue('localhost');
    const tls = { ...right };
    const redis = await startRedis({ tls });
    t.after(() => redis.stop());
    const node = await nodeOver({ tickets: ticketsBy(redis.url) });
    t.after(() => node.stop());
    await node.restart();
    const ready = async () => (await fetch(`${node.url}/readyz`)).status;
    assert.equal(await ready(), 200);
    const startsAgainWith = async (certificate) => {
      await redis.end();
      Object.assign(tls, certificate);
      await redis.start();
    };
    await startsAgainWith(await theirs.issue('localhost'));
    await until('it is told', () => node.log().some((line) => /the certificate of Redis at .* is not accepted/.test(line)), 30_000);
    await until('the node is not ready', async () => await ready() === 503);
    await startsAgainWith(right);
    await until('the node is ready again', async () => await ready() === 200, 30_000);
  });
});
