/**
 * Examples that install the browser SDK as their readers will: packed by `npm pack`, unmodified, into a copy of the example
 * that knows nothing of this repository.
 */

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { freePort } from './processes.mjs';
import { until } from './wait.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NPM = { NO_UPDATE_NOTIFIER: '1', npm_config_audit: 'false', npm_config_fund: 'false', npm_config_loglevel: 'error' };

/** A copy of `examples/<name>` in which the packed SDK is installed. */
export async function copyWithPackedSdk(name) {
  const folder = await mkdtemp(join(tmpdir(), `mashang-${name}-`));
  const skipped = /[\\/](node_modules|dist)([\\/]|$)/;
  const from = join(ROOT, 'examples', name);
  await cp(from, folder, { recursive: true, filter: (path) => !skipped.test(path.slice(from.length)) });
  const packed = JSON.parse(await command(join(ROOT, 'sdk', 'js'), 'npm', ['pack', '--json', '--pack-destination', folder]));
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  manifest.dependencies.mashang = `file:${packed[0].filename}`;
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
  // The lock names the folder of the SDK where the packed file is now.
  await rm(join(folder, 'package-lock.json'), { force: true });
  await command(folder, 'npm', ['install']);
  return { folder, run: (program, args) => command(folder, program, args), remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Runs a program to its end; what it printed is told when it fails. */
async function command(folder, program, args) {
  const options = { cwd: folder, env: { ...process.env, ...NPM }, maxBuffer: 1 << 26 };
  try {
    return (await promisify(execFile)(program, args, options)).stdout;
  } catch (error) {
    throw new Error(`${program} ${args.join(' ')}: ${error.message}\n${error.stdout}${error.stderr}`);
  }
}

/** Starts the example's back end for a house, as a client of it: `{ url, stop }`. */
export async function startBackEnd({ folder }, house, { id, callback = '/callback', options = [] }) {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const secret = await house.server.addClient(id, ['--name', '示例后台', '--redirect-uri', `${url}${callback}`, ...options]);
  const environment = { ISSUER: house.server.url, CLIENT_ID: id, CLIENT_SECRET: secret, PORT: String(port) };
  const child = spawn('node', ['server/index.mjs'], { cwd: folder, env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (piece) => { said += piece; });
  const ended = new Promise((done) => { child.once('exit', done); });
  await until(`${id} listens`, () => said.includes(url));
  return {
    url,
    async stop() {
      child.kill();
      await ended;
    },
  };
}

/** The status that a back end answers a request line with, which `fetch` would tidy first. */
export async function statusOf(url, line) {
  const socket = connect(Number(new URL(url).port), new URL(url).hostname);
  socket.end(`${line} HTTP/1.1\r\nhost: ${new URL(url).host}\r\nconnection: close\r\n\r\n`);
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(await text(socket))?.[1]);
}

/** The back end at `url` takes no answer of another issuer, or of none, to a sign-in that it began; `begin` and `finish` are paths below /api. */
export async function refusesOtherIssuers(url, { begin, finish }) {
  const post = (path, body, cookie) => fetch(`${url}/api/${path}`, {
    method: 'POST', headers: { 'content-type': 'application/json', ...(cookie && { cookie }) }, body: JSON.stringify(body),
  });
  for (const issuer of ['https://evil.example', undefined]) {
    const begun = await post(begin, {});
    const cookie = begun.headers.getSetCookie()[0].split(';')[0];
    const { state } = await begun.json();
    const told = await post(finish, { code: 'a code', state, issuer }, cookie);
    assert.equal(told.status, 400);
    assert.match((await told.json()).message, /不是登录服务的答复/);
  }
}
