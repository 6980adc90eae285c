/** Real `mashang` processes: the demo, the sandbox, the server. Each is stopped by its own process id. */

import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { linkAndPage } from './channels.mjs';
import { until } from './wait.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const START = 30_000;

/** The binary under test: `MASHANG_BIN`, else the one of `cargo build`. */
export function binary() {
  if (process.env.MASHANG_BIN) return process.env.MASHANG_BIN;
  const metadata = execFileSync('cargo', ['metadata', '--no-deps', '--format-version', '1'], {
    cwd: ROOT, maxBuffer: 1 << 26,
  });
  process.env.MASHANG_BIN = join(JSON.parse(metadata).target_directory, 'debug', 'mashang');
  return process.env.MASHANG_BIN;
}

/** Runs a command of the binary to its end, and returns what it printed. */
export async function run(args) {
  return (await promisify(execFile)(binary(), args, { env: environment() })).stdout;
}

/** The tests' own environment must not configure the product. */
function environment() {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('MASHANG_') && name !== 'RUST_LOG');
  return { ...Object.fromEntries(clean), NO_COLOR: '1' };
}

/**
 * A port that nobody uses. Below the range from which outgoing connections get theirs, so that a server which is killed
 * finds its port free when it comes back.
 */
export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port) {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => done(true)));
  });
}

/** A folder that goes when `stop` is called on what was started in it. */
export function temporaryFolder() {
  return mkdtemp(join(tmpdir(), 'mashang-journeys-'));
}

/** A running process with the lines it printed. */
class Running {
  constructor(args) {
    this.stdout = '';
    this.stderr = '';
    this.child = spawn(binary(), args, { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout.setEncoding('utf8').on('data', (text) => { this.stdout += text; });
    this.child.stderr.setEncoding('utf8').on('data', (text) => { this.stderr += text; });
    this.exit = new Promise((done) => {
      this.child.once('error', (error) => done(error));
      this.child.once('exit', (code, signal) => done(signal ?? code));
    });
    this.exit.then((how) => { this.exited = { how }; });
  }

  /** The first match of `pattern` in what was printed. */
  async printed(pattern, what = `printing ${pattern}`) {
    return until(what, () => {
      const found = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
      if (!found && this.exited) throw new Error(`ended (${this.exited.how}) before ${what}:\n${this.stdout}${this.stderr}`);
      return found;
    }, START);
  }

  /** Log lines so far. */
  get log() {
    return this.stderr.split('\n').filter(Boolean);
  }

  /** Asks it to end, and waits until it has; returns the exit code. */
  async stop() {
    if (!this.exited) this.child.kill('SIGTERM');
    return this.exit;
  }

  /** Ends it as a power cut would. */
  async kill() {
    if (!this.exited) this.child.kill('SIGKILL');
    return this.exit;
  }
}

/** `mashang`: server, sandbox and sample site. */
export async function startDemo(args = []) {
  const running = new Running(['demo', '--port', String(await freePort()), ...args]);
  const [, site] = await running.printed(/示例网站\s+(http\S+)/);
  const [, sandbox] = await running.printed(/手机\s+(http\S+)\/phone/);
  const [, server] = await running.printed(/服务\s+(http\S+)/);
  return { running, site, sandbox, server, log: () => running.log, stop: () => running.stop() };
}

/**
 * `mashang sandbox`. Browsers know it as `localhost`, another site than the server's 127.0.0.1, as WeChat is another
 * site than ours.
 */
export async function startSandbox(options = []) {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const running = new Running(['sandbox', '--listen', `127.0.0.1:${port}`, '--public-url', url, ...options]);
  await running.printed(/scripts\s+http/);
  const app = (kind) => {
    const [, appid, secret] = new RegExp(`app\\s+(\\S+)\\s+${kind}\\s+(\\S+)`).exec(running.stdout);
    return { appid, secret };
  };
  const [, corpid, agentid, secret] = await running.printed(/corp\s+(\S+)\s+(\d+)\s+(\S+)\n/);
  return {
    running,
    url,
    website: app('Website'),
    official: app('OfficialAccount'),
    mini: app('MiniProgram'),
    corp: { corpid, agentid, secret },
    stop: () => running.stop(),
  };
}

/**
 * Where the sandbox is off, its ids and secrets are refused.
 *
 * @param {string} toml
 */
function notTheSandboxes(toml) {
  return toml.replace(/5a9d(?=[-0]b0c0de)/g, '0123').replaceAll('deadbeef', 'beefdead');
}

/**
 * `mashang serve` with a configuration of its own in a folder of its own. `restart` starts it again, after `stop` or
 * `kill`, on the same port and data.
 *
 * @param {object} wanted
 * @param {Awaited<ReturnType<typeof startSandbox>>} wanted.sandbox
 * @param {boolean} [wanted.real] the platforms are the real ones, which no journey ever calls
 * @param {string} [wanted.host] what browsers know it as: passkeys need a name
 * @param {string[]} [wanted.proxies] whose X-Forwarded-For is believed
 * @param {string} [wanted.settings] TOML
 * @param {string} [wanted.store] TOML of `[store]`, else SQLite in that folder
 * @param {string} [wanted.url] where people reach it, when something stands in front
 * @param {(sandbox: object) => string | Promise<string>} [wanted.channels] TOML of the ways to log in
 * @param {boolean} [wanted.starts] false: only `restart` starts it
 */
export async function startServer({
  sandbox, real = false, host = '127.0.0.1', proxies = [], settings = '', channels = linkAndPage, store, url: front, starts = true,
}) {
  const folder = await temporaryFolder();
  const port = await freePort();
  const url = front ?? `http://${host}:${port}`;
  const config = join(folder, 'mashang.toml');
  await writeFile(config, `
[server]
public_url = "${url}"
listen = "127.0.0.1:${port}"
trusted_proxies = ${JSON.stringify(proxies)}

[store]
${store ?? `url = "sqlite:${folder}/mashang.db"\nmaster_key_file = "${folder}/master.key"`}

${real ? '' : `[sandbox]\nenabled = true\nurl = "${sandbox.url}"\n`}
${(real ? notTheSandboxes : String)(await channels(sandbox))}
${settings}`);
  const earlier = [];
  const server = {
    url,
    port,
    folder,
    config,
    running: /** @type {Running | undefined} */ (undefined),
    async restart() {
      if (server.running) earlier.push(...server.running.log);
      server.running = new Running(['serve', '--config', config]);
      await server.running.printed(/listening on/);
    },
    kill: () => server.running.kill(),
    log: () => [...earlier, ...server.running.log],
    /** `mashang client add`; returns the secret, if there is one. */
    async addClient(id, options) {
      const said = await run(['client', 'add', id, '--config', config, ...options]);
      return /client_secret: (\S+)\n\n/.exec(said)?.[1];
    },
    async stop() {
      const how = await server.running?.stop();
      await rm(folder, { recursive: true, force: true });
      return how;
    },
  };
  if (starts) await server.restart();
  return server;
}
