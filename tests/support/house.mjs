/** Everything one journey needs, as separate processes: sandbox, server, website. */

import { startSandbox, startServer } from './processes.mjs';
import { startSite } from './site.mjs';
import { WeChat } from './wechat.mjs';

/**
 * @param {{host?: string, settings?: string, channels?: (sandbox: object) => string | Promise<string>}} [options] TOML for the server's configuration
 */
export async function startHouse({ host, settings, channels } = {}) {
  const sandbox = await startSandbox();
  const server = await startServer({ sandbox, host, settings, channels });
  const site = await startSite(server);
  return {
    sandbox,
    server,
    site,
    wechat: new WeChat(sandbox.url),
    async stop() {
      await site.stop();
      await server.stop();
      await sandbox.stop();
    },
  };
}

/** What the website was told about the person in this page; waits until they are signed in there. */
export async function claims(page) {
  return JSON.parse(await page.locator('#claims').innerText());
}
