/** `deploy/nginx`: the site for one machine, in front of nodes. */

import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';

import { freePort } from '../support/processes.mjs';
import { standsInFront } from './proxy.mjs';
import { certificate, lacking, read, replaced, startNginx } from './support.mjs';

standsInFront('nginx', {
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
    const proxy = await startNginx(folder, { site, port });
    const logs = ['mashang.log', 'mashang.error.log'];
    proxy.written = () => proxy.said + logs.map((log) => readFileSync(`${folder}/${log}`, 'utf8')).join('');
    return proxy;
  },
});
