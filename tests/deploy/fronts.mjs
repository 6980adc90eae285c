/** nginx and Caddy by the files of `deploy/`, in front of nodes of a test's. */

import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { freePort } from '../support/processes.mjs';
import { NAME, certificate, lacking, read, replaced, startNginx, startProxy } from './support.mjs';

/**
 * @typedef {{port: number, written: () => string, stop: () => Promise<void>}} Front `written`: everything it wrote down
 * @typedef {{skip: string | false, start: (wanted: {folder: string, nodes: number[]}) => Promise<Front>}} Program
 */

/** @type {Program} */
export const nginx = {
  skip: lacking('nginx', 'openssl'),
  async start({ folder, nodes }) {
    await mkdir(folder, { recursive: true });
    const { pem, key } = await certificate(folder);
    const [port, plain] = [await freePort(), await freePort()];
    const node = '    server 127.0.0.1:8080 max_fails=3 fail_timeout=5s;\n';
    const site = replaced(read('nginx/mashang.conf'), [
      [node, nodes.map((one) => node.replace('8080', one)).join('')],
      ['/etc/ssl/login.example.com.pem', pem],
      ['/etc/ssl/login.example.com.key', key],
      ['/var/log/nginx/', `${folder}/`],
      ['    listen [::]:80;\n', ''],
      ['    listen [::]:443 ssl http2;\n', ''],
      ['listen 80;', `listen 127.0.0.1:${plain};`],
      ['listen 443 ssl http2;', `listen 127.0.0.1:${port} ssl http2;`],
    ]);
    const front = await startNginx(folder, { site, port });
    const logs = ['mashang.log', 'mashang.error.log'];
    front.written = () => front.said + logs.map((log) => readFileSync(`${folder}/${log}`, 'utf8')).join('');
    return front;
  },
};

/** @type {Program} */
export const caddy = {
  skip: lacking('caddy', 'openssl'),
  async start({ folder, nodes }) {
    await mkdir(folder, { recursive: true });
    const { pem, key } = await certificate(folder);
    const port = await freePort();
    const text = replaced(read('caddy/Caddyfile'), [
      // No certificate from the world outside, and nothing kept but in a folder of the test's.
      ['\n{\n', `\n{\n\tadmin off\n\tauto_https off\n\tstorage file_system ${folder}/storage\n`],
      [`\n${NAME} {\n`, `\nhttps://${NAME}:${port} {\n\tbind 127.0.0.1\n\ttls ${pem} ${key}\n`],
      ['reverse_proxy 127.0.0.1:8080 {', `reverse_proxy ${nodes.map((one) => `127.0.0.1:${one}`).join(' ')} {`],
    ]);
    const file = join(folder, 'Caddyfile');
    await writeFile(file, text);
    const own = { HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
    const front = await startProxy('caddy', ['run', '--adapter', 'caddyfile', '--config', file], port, own);
    front.written = () => front.said;
    return front;
  },
};
