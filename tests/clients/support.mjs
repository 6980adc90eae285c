/** A server whose people can be moved by program, for clients that only know its address. */

import { startSandbox, startServer } from '../support/processes.mjs';
import { DESKTOP, Jar, attribute, location } from '../support/jar.mjs';
import { until } from '../support/wait.mjs';
import { WeChat } from '../support/wechat.mjs';

export async function startClientHouse() {
  const sandbox = await startSandbox();
  const server = await startServer({ sandbox });
  const wechat = new WeChat(sandbox.url);
  let last;
  return {
    server,
    wechat,
    /** A browser opens a client's authorization request, `person` scans and approves; returns where the browser is sent. */
    async scan(authorize, person) {
      last = new Jar({ 'user-agent': DESKTOP });
      return scanInBrowser(wechat, last, authorize, person);
    },
    /** The browser of the last scan opens a logout address; returns where it is sent. */
    leave: async (url) => location(await last.get(url)),
    async stop() {
      await server.stop();
      await sandbox.stop();
    },
  };
}

/** `jar`'s browser opens a client's authorization request, `person` scans and approves; returns where the browser is sent. */
export async function scanInBrowser(wechat, jar, authorize, person) {
  const page = await location(await jar.get(authorize));
  const answer = await jar.get(page);
  const html = await answer.text();
  if (!answer.ok) throw new Error(`no login page but ${answer.status}`);
  const scanUrl = new URL(attribute(html, /href="([^"]+)"[^>]* data-link="sandbox"/)).searchParams.get('open');
  const phone = wechat.phone(person);
  await phone.scan(scanUrl);
  await phone.approve(attribute(html, /data-text="number">([^<]+)</));
  const json = { headers: { accept: 'application/json' } };
  await until('the approval', async () => (await (await jar.get(`${page}/status`, json)).json()).status === 'approved');
  return (await (await jar.post(`${page}/redeem`, {}, json)).json()).redirect;
}
