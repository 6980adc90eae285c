/**
 * What `deploy/` gives to operators, put to use: its files as they are, with the addresses, ports and paths of a test in the
 * places of the operator's.
 */

import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { DESKTOP, Jar } from '../support/jar.mjs';
import { run, temporaryFolder } from '../support/processes.mjs';
import { until } from '../support/wait.mjs';

export const NAME = 'login.example.com';
const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url));

/** The path of a file of `deploy/`. */
export const path = (file) => join(DEPLOY, file);

/** The text of a file of `deploy/`. */
export const read = (file) => readFileSync(path(file), 'utf8');

/** `text` with other words in some places; each must be there. */
export function replaced(text, pairs) {
  return pairs.reduce((now, [from, to]) => {
    assert.ok(now.includes(from), `the file has: ${from}`);
    return now.replaceAll(from, to);
  }, text);
}

/** A linter of tests/deploy/requirements.txt, found where `cargo xtask test` put it. */
export const linter = (name) => join(process.env.DEPLOY_TOOLS ?? '/nonexistent', name);

/** Why a test that needs these programs is skipped; or nothing. */
export function lacking(...programs) {
  const missing = programs.filter((program) => {
    if (program.includes('/')) return !existsSync(program);
    try {
      execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
  return missing.length ? `not tried, as this machine has no ${missing.map((one) => one.split('/').pop()).join(' and no ')}` : false;
}

/** Runs a program to its end; fails with what it said. */
export async function runs(program, args, options = {}) {
  try {
    return await promisify(execFile)(program, args, options);
  } catch (error) {
    throw new Error(`${program} ${args.join(' ')}: ${error.stdout ?? ''}${error.stderr ?? ''}${error.message}`, { cause: error });
  }
}

/** A certificate for `NAME` that nobody trusts; returns its files. */
export async function certificate(folder) {
  const [pem, key] = [join(folder, 'certificate.pem'), join(folder, 'certificate.key')];
  await runs('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`, '-keyout', key, '-out', pem]);
  return { pem, key };
}

/** A proxy that runs until `stop`; ready once `port` takes connections. `said` is what it wrote to its standard error. */
export async function startProxy(program, args, port, environment = {}) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...environment } });
  const proxy = { said: '', port };
  child.stderr.setEncoding('utf8').on('data', (text) => { proxy.said += text; });
  const exit = new Promise((done) => { child.once('error', done).once('exit', done); });
  let ended = false;
  exit.then(() => { ended = true; });
  await until(`${program} listens`, () => {
    if (ended) throw new Error(`${program} ended:\n${proxy.said}`);
    return takesConnections(port);
  });
  proxy.stop = async () => {
    if (!ended) child.kill('SIGTERM');
    await exit;
  };
  return proxy;
}

function takesConnections(port) {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => { socket.destroy(); done(true); });
    socket.once('error', () => done(false));
  });
}

/** nginx with a site's text in a folder of its own, and `mashang-proxy.conf` where the site includes it from. */
export async function startNginx(folder, { site, port, main }) {
  await mkdir(join(folder, 'snippets'), { recursive: true });
  await writeFile(join(folder, 'snippets', 'mashang-proxy.conf'), read('nginx/mashang-proxy.conf'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`);
  const config = join(folder, 'nginx.conf');
  // As root its workers would be of a user who may not enter the folder.
  const around = main ?? `${process.getuid() === 0 ? 'user root;' : ''}
    worker_processes 1; pid ${folder}/pid; error_log stderr; events {} http { ${temporary.join(' ')}\n@SITE@\n}`;
  await writeFile(config, around.replace('@SITE@', () => site).replace('@TEMPORARY@', temporary.join(' ')));
  const args = ['-p', folder, '-c', config];
  await runs('nginx', ['-t', ...args]);
  return startProxy('nginx', [...args, '-g', 'daemon off;'], port);
}

/**
 * A node by program, which remembers what it was asked: `answer(request, response)` answers. WebSockets are accepted, and
 * every byte comes back.
 */
export async function startNode(answer) {
  const seen = [];
  const server = createServer((asked, response) => {
    seen.push({ method: asked.method, url: asked.url, headers: asked.headers });
    answer(asked, response);
  });
  server.on('upgrade', (asked, socket) => {
    seen.push({ method: 'UPGRADE', url: asked.url, headers: asked.headers });
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    socket.pipe(socket);
    socket.on('error', () => {});
  });
  await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
  return {
    seen,
    port: server.address().port,
    stop: () => new Promise((done) => {
      server.close(done);
      server.closeAllConnections();
    }),
  };
}

/** Asks a proxy over TLS and HTTP/1.1; returns status, headers and text. */
export function ask(port, target, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((done, failed) => {
    const asked = request({ ...tls(port), agent: false, path: target, method, headers }, async (response) => {
      let text = '';
      try {
        for await (const chunk of response.setEncoding('utf8')) text += chunk;
        done({ status: response.statusCode, headers: response.headers, text });
      } catch (error) {
        failed(error);
      }
    });
    asked.once('error', failed);
    asked.end(body);
  });
}

const tls = (port) => ({ host: '127.0.0.1', port, servername: NAME, rejectUnauthorized: false, headers: { host: NAME } });

/** Opens a WebSocket through a proxy; returns the raw connection after the handshake. */
export function openWebSocket(port, target, headers = {}) {
  return new Promise((done, failed) => {
    const asked = request({
      ...tls(port), agent: false, path: target,
      headers: {
        host: NAME, connection: 'Upgrade', upgrade: 'websocket',
        'sec-websocket-version': '13', 'sec-websocket-key': 'bWFzaGFuZyBtYXNoYW5nIQ==', ...headers,
      },
    });
    asked.once('upgrade', (_, socket) => done(socket));
    asked.once('response', (response) => failed(new Error(`no upgrade but ${response.statusCode}`)));
    asked.once('error', failed);
    asked.end();
  });
}

/** A desktop browser that reaches a server through a proxy, over HTTP/2, whatever host its addresses name. */
export class Visitor extends Jar {
  constructor(port) {
    super({ 'user-agent': DESKTOP });
    Object.assign(this, { port, sockets: [] });
    this.session = connectHttp2(`https://127.0.0.1:${port}`, { servername: NAME, rejectUnauthorized: false });
    this.session.on('error', () => {});
  }

  async ask(url, { method, headers, body }) {
    const form = body && { 'content-type': 'application/x-www-form-urlencoded' };
    const stream = this.open(url, method, { ...headers, ...form }, body?.toString());
    const head = await headOf(stream);
    let text = '';
    for await (const chunk of stream.setEncoding('utf8')) text += chunk;
    const names = Object.entries(head).filter(([name]) => !name.startsWith(':'));
    const told = new Response([204, 304].includes(head[':status']) ? null : text, {
      status: head[':status'],
      headers: names.flatMap(([name, value]) => [value].flat().map((one) => [name, one])),
    });
    return Object.defineProperty(told, 'url', { value: url });
  }

  open(url, method, headers, body) {
    const { pathname, search } = new URL(url);
    const stream = this.session.request(
      { ':method': method, ':path': pathname + search, ':authority': NAME, ...headers }, { endStream: !body });
    if (body) stream.end(body);
    return stream;
  }

  /** An event stream; `text` grows with what has arrived. */
  async events(url) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const stream = this.open(url, 'GET', { accept: 'text/event-stream', ...this.headers, ...(cookie && { cookie }) });
    const head = await headOf(stream);
    const told = { status: head[':status'], text: '', over: false };
    stream.setEncoding('utf8').on('data', (text) => { told.text += text; }).on('end', () => { told.over = true; });
    return told;
  }

  /** The same news by a WebSocket, which browsers open over HTTP/1.1. Messages of a server are not masked: the text is in the bytes. */
  async news(url) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const { origin, pathname } = new URL(url);
    const socket = await openWebSocket(this.port, pathname, { origin, cookie, 'sec-websocket-protocol': 'Bearer' });
    const told = { status: 101, text: '', over: false };
    socket.setEncoding('latin1').on('data', (text) => { told.text += text; }).on('close', () => { told.over = true; });
    socket.on('error', () => {});
    this.sockets.push(socket);
    return told;
  }

  close() {
    for (const socket of this.sockets) socket.destroy();
    this.session.destroy();
  }
}

function headOf(stream) {
  return new Promise((done, failed) => {
    stream.once('response', done);
    stream.once('error', failed);
  });
}

/**
 * `mashang config check` of a configuration whose secrets are files below `secrets`. Each of `names` is used, and no other.
 *
 * @param {string} text TOML
 * @param {{secrets: string, names: string[]}} where
 */
export async function checksConfiguration(text, { secrets, names }) {
  const folder = await temporaryFolder();
  try {
    const used = [...text.matchAll(/^\w+_file = "([^"]+)"$/gm)].map(([, file]) => file).filter((file) => file.startsWith(secrets));
    assert.deepEqual(used.map((file) => file.slice(secrets.length)).sort(), [...names].sort());
    for (const name of names) await writeFile(join(folder, name), SECRETS[name.replace(/^secret_/, '')]);
    const config = join(folder, 'mashang.toml');
    await writeFile(config, text.replaceAll(secrets, `${folder}/`));
    const said = await run(['config', 'check', '--config', config]);
    assert.match(said, /^The configuration is valid: https:\/\/login\.example\.com\//);
    assert.doesNotMatch(said, /trusted_proxies is empty/, 'no hint that a proxy is forgotten');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const SECRETS = {
  wechat: '0123456789abcdef0123456789abcdef\n',
  master_key: Buffer.alloc(32, 7),
  store_url: 'postgres://mashang:a-password@postgres:5432/mashang',
  tickets_url: 'redis://mashang:a-password@redis:6379/0',
};
