/** Several nodes of one installation, behind a balancer, over engines that `cargo xtask engines` or the test started. */

import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { startBalancer } from './balancer.mjs';
import { startSandbox, startServer, temporaryFolder } from './processes.mjs';
import { startSite } from './site.mjs';
import { startWire } from './wire.mjs';
import { WeChat } from './wechat.mjs';

/** The address of an engine; without it, a sentence. */
export function engine(name) {
  const url = process.env[`MASHANG_TEST_${name}`];
  if (!url) throw new Error(`no MASHANG_TEST_${name}: run this by \`cargo xtask engines -- node --test …\``);
  return url;
}

/** A fresh database beside the one that `url` names; returns its address. */
export async function freshDatabase(url) {
  url = new URL(url);
  const name = `mashang_${randomBytes(6).toString('hex')}`;
  if (url.protocol === 'postgres:') {
    await promisify(execFile)('psql', ['-q', url.href, '-c', `create database ${name}`]);
  } else {
    const client = ['--no-defaults', '--protocol=tcp', `--host=${url.hostname}`, `--port=${url.port}`, `--user=${url.username}`];
    await promisify(execFile)('mariadb', [...client, '-e', `create database ${name}`]);
  }
  const fresh = new URL(url);
  fresh.pathname = `/${name}`;
  return fresh.href;
}

/**
 * What an operator would choose: where the records are, and where the tickets.
 *
 * @typedef {{records: string, tickets: string}} Engines `records`: POSTGRES, MARIADB, or the address of a database in which
 *   others may be made; `tickets`: REDIS, REDIS_CLUSTER, REDIS_SENTINEL, or an address
 */

/** Everybody in a test comes from one address. */
const OFTEN = '[limits]\nstarts_per_minute = 6000';

/**
 * `count` nodes, a sandbox and a website.
 *
 * @param {Engines & {count: number, wires?: boolean, settings?: string, through?: (url: string, what: string, index: number) => string}} wanted
 *   `wires`: what the nodes use of the engines goes through wires that a test can cut; `through`: the address that the node
 *   of this index has for an engine (`what`: records, tickets)
 */
export async function startNodes({ records, tickets, count, wires = false, settings = OFTEN, through = (url) => url }) {
  const folder = await temporaryFolder();
  const key = join(folder, 'master.key');
  await writeFile(key, randomBytes(32), { mode: 0o600 });
  const cut = {};
  const byWire = async (name, url) => {
    if (!wires) return url;
    const near = new URL(url);
    cut[name] = await startWire(Number(near.port));
    near.port = String(cut[name].end);
    return near.href;
  };
  const database = await freshDatabase(records.includes(':') ? records : engine(records));
  const recordsUrl = await byWire('records', database);
  const ticketsUrl = tickets === 'postgres:' ? tickets : await byWire('tickets', tickets.includes(':') ? tickets : engine(tickets));
  const sandbox = await startSandbox();
  const balancer = await startBalancer();
  const nodes = [];
  const node = (index) => startServer({
    sandbox,
    url: balancer.url,
    store: `url = "${through(recordsUrl, 'records', index)}"\nmaster_key_file = "${key}"`,
    settings: `[tickets]\nurl = "${through(ticketsUrl, 'tickets', index)}"\n${settings}`,
  });
  for (let index = 0; index < count; index += 1) {
    nodes.push(await node(index));
    balancer.ports.push(nodes[index].port);
  }
  const site = await startSite({ url: balancer.url, addClient: (...client) => nodes[0].addClient(...client) });
  return {
    sandbox, site, nodes, balancer, cut, database,
    server: nodes[0],
    wechat: new WeChat(sandbox.url),
    async stop() {
      await site.stop();
      balancer.stop();
      await Promise.all(nodes.map((one) => one.stop()));
      await sandbox.stop();
      Object.values(cut).forEach((wire) => wire.stop());
      await rm(folder, { recursive: true, force: true });
    },
  };
}
