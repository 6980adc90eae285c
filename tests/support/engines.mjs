/** Engines of one's own, for a test that does to them what others would notice: stops them, pauses them, cuts them off. */

import { execFile, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { freePort } from './processes.mjs';
import { until } from './wait.mjs';

const execute = promisify(execFile);
const START = 60_000;

/** A process and its children, as they are now: a database has one for each connection. */
function family(pid) {
  const parents = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const [, parent] = /\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'));
      return [[Number(name), Number(parent)]];
    } catch {
      return []; // it has ended meanwhile
    }
  });
  const all = [pid];
  for (const one of all) all.push(...parents.filter(([, parent]) => parent === one).map(([child]) => child));
  return all;
}

/** One engine as a process, that can be ended, paused and started again on its port and data. */
class Engine {
  /**
   * @param {object} how
   * @param {() => [string, string[], object?]} how.command program, arguments, options
   * @param {() => Promise<unknown>} how.answers fails until the engine answers
   * @param {string} how.folder that goes with it
   * @param {NodeJS.Signals} how.goodbye what ends it in order, at once
   */
  constructor({ command, answers, folder, goodbye }) {
    Object.assign(this, { command, answers, folder, goodbye });
  }

  /** Starts it, and waits until it answers. */
  async start() {
    const [program, args, options] = this.command();
    this.child = spawn(program, args, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let said = '';
    for (const out of [this.child.stdout, this.child.stderr]) out.setEncoding('utf8').on('data', (text) => { said = (said + text).slice(-4000); });
    let ended = false;
    this.exited = new Promise((done) => {
      this.child.once('error', (error) => { said += error; ended = true; done(); });
      this.child.once('exit', () => { ended = true; done(); });
    });
    await until(`${program} answers`, async () => {
      if (ended) throw new Error(`${program} ended: ${said}`);
      return this.answers().then(() => true, () => false);
    }, START);
    return this;
  }

  /** As a machine that hangs: connections stay open, and nobody answers. */
  pause() {
    this.paused = family(this.child.pid);
    for (const pid of this.paused) process.kill(pid, 'SIGSTOP');
  }

  resume() {
    for (const pid of this.paused ?? []) {
      try { process.kill(pid, 'SIGCONT'); } catch { /* it has ended */ }
    }
    this.paused = undefined;
  }

  /** Ends it, with a word to whoever is connected or, by SIGKILL, without. */
  async end(signal = this.goodbye) {
    this.resume();
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const relatives = family(this.child.pid);
    this.child.kill(signal);
    await this.exited;
    // The children of a PostgreSQL that was killed notice a moment later, and it does not start again beside them.
    await until('its children have ended too', () => !relatives.some((pid) => existsSync(`/proc/${pid}`)), START);
  }

  /** For good. */
  async stop() {
    await this.end('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A folder that other users may pass through. */
async function folderFor(name) {
  const folder = await mkdtemp(join(tmpdir(), `mashang-${name}-`));
  chmodSync(folder, 0o755);
  return folder;
}

/** Some engines refuse to run as root: then they run as the user of this name. */
function owner(name) {
  if (process.getuid() !== 0) return { as: [], options: {}, own: () => {} };
  const id = (flag) => Number(execFileSync('id', [flag, name]));
  const [uid, gid] = [id('-u'), id('-g')];
  return {
    as: ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'],
    options: { uid, gid, cwd: '/' },
    own: (...paths) => paths.forEach((path) => chownSync(path, uid, gid)),
  };
}

/** The newest PostgreSQL that Debian's packages installed, else what is on the path. */
function postgresProgram(name) {
  const home = '/usr/lib/postgresql';
  const versions = existsSync(home) ? readdirSync(home).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(home, version, 'bin', name)).find(existsSync) ?? name;
}

/**
 * What an engine's own end needs to know.
 *
 * @typedef {{host?: string, within?: string[], tls?: {cert: string, key: string, ca: string}}} Place `host`: where it is
 *   reached; `within`: the words that run a program on the machine that has that address, where nobody else is, so that it
 *   listens on all of them; `tls`: it takes nothing else
 */

/**
 * A PostgreSQL with `postgres` as its superuser, which keeps what it has committed.
 *
 * @param {Place} [place]
 */
export async function startPostgres({ host = '127.0.0.1', within = [], tls } = {}) {
  const folder = await folderFor('postgres');
  const data = join(folder, 'data');
  const user = owner('postgres');
  await mkdir(data);
  user.own(data);
  await execute(postgresProgram('initdb'), ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync', '-D', data], user.options);
  const settings = [`listen_addresses=${within.length ? '*' : host}`, 'unix_socket_directories=', 'max_connections=200', 'shared_buffers=32MB'];
  if (tls) {
    settings.push('ssl=on', `ssl_cert_file=${tls.cert}`, `ssl_key_file=${tls.key}`);
    user.own(tls.key);
  }
  await writeFile(join(data, 'pg_hba.conf'), `${tls ? 'hostssl' : 'host'} all all all trust\n`);
  const port = await freePort();
  const query = tls ? `?sslmode=verify-full&sslrootcert=${tls.ca}` : '';
  const url = `postgres://postgres@${tls ? 'localhost' : host}:${port}/postgres`;
  const words = [...within, ...user.as, postgresProgram('postgres'), '-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
  const engine = new Engine({
    folder,
    goodbye: 'SIGINT',
    command: () => [words[0], words.slice(1)],
    answers: () => execute('psql', ['-At', url + query, '-c', 'select 1']),
  });
  return Object.assign(await engine.start(), { url, query, port });
}

/**
 * A MariaDB whose `root` has no password.
 *
 * @param {Place} [place]
 */
export async function startMariadb({ host = '127.0.0.1', within = [], tls } = {}) {
  const folder = await folderFor('mariadb');
  const data = join(folder, 'data');
  const user = owner('mysql');
  await mkdir(data);
  user.own(data);
  await execute('mariadb-install-db', ['--no-defaults', '--auth-root-authentication-method=normal', '--skip-test-db', `--datadir=${data}`], user.options);
  const port = await freePort();
  const settings = [
    '--no-defaults', `--bind-address=${within.length ? '*' : host}`, `--port=${port}`, '--skip-log-bin', '--innodb-buffer-pool-size=64M', '--innodb-flush-log-at-trx-commit=0',
    `--datadir=${data}`, `--socket=${join(data, 'socket')}`, `--pid-file=${join(data, 'pid')}`,
  ];
  if (tls) {
    settings.push('--require-secure-transport=on', `--ssl-ca=${tls.ca}`, `--ssl-cert=${tls.cert}`, `--ssl-key=${tls.key}`);
    user.own(tls.key);
  }
  const name = tls ? 'localhost' : host;
  const client = ['--no-defaults', '--protocol=tcp', `--host=${name}`, `--port=${port}`, '--user=root', ...(tls ? [`--ssl-ca=${tls.ca}`, '--ssl-verify-server-cert'] : [])];
  const words = [...within, ...user.as, '/usr/sbin/mariadbd', ...settings];
  const engine = new Engine({
    folder,
    goodbye: 'SIGTERM',
    command: () => [words[0], words.slice(1)],
    answers: () => execute('mariadb', [...client, '-e', 'select 1']),
  });
  const ask = (sql) => execute('mariadb', [...client, '-e', sql]);
  return Object.assign(await engine.start(), { url: `mysql://root@${name}:${port}/mysql`, port, ask });
}

/**
 * A Redis that keeps nothing on disk.
 *
 * @param {Place & {settings?: string[]}} [place] `settings`: as on its command line
 */
export async function startRedis({ host = '127.0.0.1', within = [], tls, settings = [] } = {}) {
  const folder = await folderFor('redis');
  const port = await freePort();
  const listening = () => (tls
    ? ['--port', '0', '--tls-port', String(port), '--tls-cert-file', tls.cert, '--tls-key-file', tls.key, '--tls-ca-cert-file', tls.ca, '--tls-auth-clients', 'no', '--tls-replication', 'yes', '--tls-cluster', 'yes']
    : ['--port', String(port)]);
  const words = () => [...within, 'redis-server', '--bind', within.length ? '0.0.0.0' : host, ...listening(), '--protected-mode', 'no', '--save', '', '--appendonly', 'no', '--dir', folder, ...settings];
  const name = tls ? 'localhost' : host;
  const ask = (...question) => execute('redis-cli', ['-h', name, '-p', String(port), ...(tls ? ['--tls', '--cacert', tls.ca] : []), ...question])
    .then(({ stdout }) => stdout.trim());
  const engine = new Engine({
    folder,
    goodbye: 'SIGTERM',
    command: () => [words()[0], words().slice(1)],
    answers: async () => { if (await ask('ping') !== 'PONG') throw new Error('it does not answer yet'); },
  });
  return Object.assign(await engine.start(), { url: `${tls ? 'rediss' : 'redis'}://${name}:${port}`, host: name, port, ask });
}

/** A master with a replica, and three Sentinels that agree on it by two. */
export async function startSentinels({ tls } = {}) {
  const options = ['--repl-diskless-sync-delay', '0'];
  const host = tls ? 'localhost' : '127.0.0.1';
  const master = await startRedis({ tls, settings: options });
  const replica = await startRedis({ tls, settings: [...options, '--replicaof', host, String(master.port)] });
  await until('the replica follows', async () => /state=online/.test(await master.ask('info', 'replication')));
  const sentinels = await Promise.all(['a', 'b', 'c'].map(() => startSentinel({ tls, host, master })));
  await until('the Sentinels know each other and the replica', async () => (await Promise.all(sentinels.map(async (sentinel) => {
    const told = (await sentinel.ask('sentinel', 'master', 'mashang')).split('\n');
    const value = (key) => told[told.indexOf(key) + 1];
    return value('num-slaves') === '1' && value('num-other-sentinels') === '2';
  }))).every(Boolean));
  const all = [...sentinels, replica, master];
  return {
    url: `${tls ? 'rediss' : 'redis'}+sentinel://${sentinels.map(({ port }) => `${host}:${port}`).join(',')}/mashang`,
    master, replica, sentinels,
    stop: () => Promise.all(all.map((engine) => engine.stop())),
  };
}

async function startSentinel({ tls, host, master }) {
  const folder = await folderFor('sentinel');
  const port = await freePort();
  const listening = tls
    ? `port 0\ntls-port ${port}\ntls-cert-file ${tls.cert}\ntls-key-file ${tls.key}\ntls-ca-cert-file ${tls.ca}\ntls-auth-clients no\ntls-replication yes`
    : `port ${port}`;
  const file = join(folder, 'sentinel.conf');
  await writeFile(file, `bind 127.0.0.1
${listening}
dir ${folder}
sentinel resolve-hostnames yes
sentinel announce-hostnames ${tls ? 'yes' : 'no'}
sentinel monitor mashang ${host} ${master.port} 2
sentinel down-after-milliseconds mashang 1000
sentinel failover-timeout mashang 3000
`);
  const ask = (...question) => execute('redis-cli', ['-h', host, '-p', String(port), ...(tls ? ['--tls', '--cacert', tls.ca] : []), ...question])
    .then(({ stdout }) => stdout.trim());
  const engine = new Engine({
    folder,
    goodbye: 'SIGTERM',
    command: () => ['redis-sentinel', [file]],
    answers: async () => { if (await ask('ping') !== 'PONG') throw new Error('it does not answer yet'); },
  });
  return Object.assign(await engine.start(), { port, ask });
}

/** A cluster of three masters, each with a replica if asked for. */
export async function startCluster({ tls, replicas = 0 } = {}) {
  const host = tls ? 'localhost' : '127.0.0.1';
  const nodes = [];
  for (let index = 0; index < 3 * (1 + replicas); index += 1) {
    const bus = await freePort();
    nodes.push(await startRedis({
      tls,
      settings: [
        '--cluster-enabled', 'yes', '--cluster-port', String(bus), '--cluster-node-timeout', '2000', '--repl-diskless-sync-delay', '0',
        // What was lost with a master without a replica is lost; the rest goes on.
        '--cluster-require-full-coverage', 'no',
        ...(tls ? ['--cluster-announce-hostname', host, '--cluster-preferred-endpoint-type', 'hostname'] : []),
      ],
    }));
  }
  // Cluster nodes meet by address.
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  await execute('redis-cli', [...(tls ? ['--tls', '--cacert', tls.ca] : []), '--cluster', 'create', ...addresses, '--cluster-replicas', String(replicas), '--cluster-yes']);
  await until('every node knows the whole cluster', async () => (await Promise.all(nodes.map(async (node) =>
    /cluster_state:ok/.test(await node.ask('cluster', 'info')) && (await node.ask('cluster', 'nodes')).split('\n').length === nodes.length))).every(Boolean));
  const isMaster = async (node) => (await node.ask('role')).startsWith('master');
  await until('replicas follow', async () => (await Promise.all(nodes.map(isMaster))).filter(Boolean).length === 3);
  const masters = [];
  for (const node of nodes) if (await isMaster(node)) masters.push(node);
  return {
    url: `${tls ? 'rediss' : 'redis'}+cluster://${nodes.map(({ port }) => `${host}:${port}`).join(',')}`,
    nodes, masters,
    stop: () => Promise.all(nodes.map((node) => node.stop())),
  };
}
