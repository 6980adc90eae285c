/** What the tests of the ZenTao extension share: the extension as an operator gets it, and scans without a screen. */

import { execFile, execFileSync, spawn } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { wecom } from '../support/channels.mjs';
import { startComputer } from '../support/computer.mjs';
import { attribute, location } from '../support/jar.mjs';
import { freePort, run, startSandbox, startServer } from '../support/processes.mjs';
import { until } from '../support/wait.mjs';
import { WeChat } from '../support/wechat.mjs';

export const HERE = fileURLToPath(new URL('.', import.meta.url));
export const EXTENSION = fileURLToPath(new URL('../../examples/zentao/mashang', import.meta.url));

/** Why PHP cannot be used here, or nothing. */
export function phpMissing() {
  try {
    const loaded = execFileSync('php', ['-m'], { encoding: 'utf8' }).toLowerCase().split('\n');
    const missing = ['curl', 'json', 'openssl'].filter((name) => !loaded.includes(name));
    if (missing.length) return `PHP has no ${missing.join(', ')}`;
    execFileSync('unzip', ['-v'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'php or unzip is not there (Debian: php-cli php-curl unzip)';
  }
}

/** Unpacks a zip of `mashang zentao-plugin`. */
export const unzip = (zip, into) => promisify(execFile)('unzip', ['-q', '-o', zip, '-d', into]);

/** What a script prints, with these variables more in its environment. */
export const php = async (env, ...args) => (await promisify(execFile)('php', args, { env: { ...process.env, ...env } })).stdout;

/** Every PHP file of the extension and of its tests. */
export async function phpFiles() {
  const found = [];
  for (const folder of [EXTENSION, HERE]) {
    for (const entry of await readdir(folder, { recursive: true })) {
      if (entry.endsWith('.php')) found.push(join(folder, entry));
    }
  }
  return found;
}

/** Sandbox and server with WeCom. */
export async function startMashang() {
  const sandbox = await startSandbox();
  const server = await startServer({ sandbox, channels: (world) => wecom(world) });
  const wechat = new WeChat(sandbox.url);
  const { corps: [{ corpid }] } = await wechat.call('/wecom/corps');
  return {
    sandbox, server, wechat, corpid,
    /** The zip for a ZenTao at `url`, and what the command printed. */
    async plugin(url, out, more = ['--register']) {
      return run(['zentao-plugin', '--url', url, '--out', out, '--config', server.config, ...more]);
    },
    /** The directory says something else about a member. */
    member: (userid, change) => wechat.call(`/wecom/corps/${corpid}/members/${userid}`, change),
    async stop() {
      await server.stop();
      await sandbox.stop();
    },
  };
}

/** The stand-in of `stub.php`, with the extension unpacked at `tree`, and tables in a file. */
export async function startStub(tree, tables, { port, language = 'zh-cn', php: options = [] }) {
  const data = join(tree, 'tables.json');
  await writeFile(data, JSON.stringify(tables));
  const url = `http://127.0.0.1:${port}`;
  const child = spawn('php', [...options, '-d', `session.save_path=${tree}`, '-d', `error_log=${join(tree, 'errors.log')}`, '-d', 'log_errors=1',
    '-S', `127.0.0.1:${port}`, join(HERE, 'stub.php')], {
    env: { ...process.env, STUB_TREE: join(tree, 'mashang'), STUB_DATA: data, STUB_LANG: language },
    stdio: 'ignore',
  });
  const ended = new Promise((done) => child.once('exit', done));
  await until('the stand-in answers', () => fetch(`${url}/my-index.html`).then(() => true, () => false));
  return { url, data, errors: join(tree, 'errors.log'), async stop() { child.kill(); await ended; } };
}

export { freePort };

/** Begins at the button of a ZenTao, and is signed in at WeCom as `person`; returns the answer of the last redirect address. */
export async function scan(mashang, zentao, jar, person) {
  const computer = await startComputer({ site: zentao }, '', jar);
  return jar.get(await allowed(mashang, computer, person));
}

/** The address that Mashang sends the browser to once `person` has said yes. */
export async function allowed(mashang, computer, person) {
  const page = await computer.start('wecom');
  const uuid = attribute(await (await fetch(page)).text(), /data-key="([^"]+)"/);
  await mashang.wechat.call('/scan', { uuid, person });
  const { redirect } = await mashang.wechat.call('/allow', { uuid, person });
  let onward = redirect;
  while (onward.startsWith(mashang.server.url)) onward = await location(await computer.jar.get(onward));
  return onward;
}
