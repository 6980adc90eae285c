/** A sandbox that answers under Tencent's own names, and programs that are led to it without knowing. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { startSandbox, temporaryFolder } from '../../support/processes.mjs';
import { WeChat } from '../../support/wechat.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** `mashang sandbox --tls-listen`: `tls` is host:port, `ca` the certificate to trust. */
export async function startNamedSandbox() {
  const folder = await temporaryFolder();
  const ca = join(folder, 'ca');
  const sandbox = await startSandbox(['--tls-listen', '127.0.0.1:0', '--ca-dir', ca]);
  const [, tls] = await sandbox.running.printed(/tls\s+(127\.0\.0\.1:\d+)/);
  return {
    ...sandbox,
    tls,
    ca: join(ca, 'ca.pem'),
    wechat: new WeChat(sandbox.url),
    async stop() {
      await sandbox.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A program in Python or Node that answers one line of JSON with another. */
export class Program {
  /** @param {string} command @param {string} file a file of this folder */
  constructor(command, file, sandbox) {
    const node = command === process.execPath;
    this.child = spawn(command, node ? ['--require', here('names/names.cjs'), here(file)] : [here(file)], {
      env: {
        PATH: process.env.PATH,
        SANDBOX_TLS: sandbox.tls,
        PYTHONPATH: here('names'),
        PYTHONDONTWRITEBYTECODE: '1',
        PYTHONIOENCODING: 'utf-8',
        REQUESTS_CA_BUNDLE: sandbox.ca,
        NODE_EXTRA_CA_CERTS: sandbox.ca,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.complaint = '';
    this.child.stderr.on('data', (text) => { this.complaint += text; });
    this.ended = once(this.child, 'exit');
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** Asks the library to do something; its exceptions come as an `Error` with the words of the library. */
  async ask(what, args = {}) {
    this.child.stdin.write(`${JSON.stringify({ what, ...args })}\n`);
    const { value } = await this.lines.next();
    if (!value) throw new Error(`the program ended: ${this.complaint}`);
    const answer = JSON.parse(value);
    if (answer.error) throw new Error(answer.error);
    return answer.result;
  }

  async stop() {
    this.child.stdin.end();
    await this.ended;
  }
}

/** What a browser learns where WeChat's or WeCom's QR page stands: the name of the attempt. */
export async function qrOf(sandbox, url) {
  const { host, pathname, search } = new URL(url);
  const page = await fetch(`${sandbox.url}/${host}${pathname}${search}`);
  const html = await page.text();
  const found = /\/connect\/qrcode\/(\w+)/.exec(html) ?? /data-key="(\w+)"/.exec(html);
  if (!found) throw new Error(`no QR at ${url}: ${html}`);
  return found[1];
}

/** `person` scans and allows; the address to which the browser goes back. */
export async function scanAndAllow(sandbox, url, person) {
  const uuid = await qrOf(sandbox, url);
  await sandbox.wechat.call('/scan', { uuid, person });
  return new URL((await sandbox.wechat.call('/allow', { uuid, person })).redirect);
}

/** `person` opens the address inside WeChat or WeCom and allows; the address to which the page goes back. */
export async function openAndAllow(sandbox, url, person) {
  return new URL((await sandbox.wechat.call('/authorize', { url, person, answer: 'allow' })).redirect);
}
