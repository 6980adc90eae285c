/** `examples/apache`: mod_auth_openidc, and a site behind it that cannot be changed. */

import assert from 'node:assert/strict';
import { accessSync } from 'node:fs';
import { test } from 'node:test';

import { attribute } from '../support/jar.mjs';
import { holds, runs } from './support.mjs';

const MODULE = '/usr/lib/apache2/modules/mod_auth_openidc.so';

const { visitor } = holds({
  name: 'apache',
  start: 'python3 start.py',
  login: '/',
  logOut: async (site) => site.jar.get(new URL(attribute(await site.home(), /id="logout" href="([^"]+)"/), site.url).href),
  needs: {
    'Apache with mod_auth_openidc (apt-get install apache2 libapache2-mod-auth-openidc)': () => accessSync(MODULE),
    'python3 (apt-get install python3)': runs('python3', '--version'),
  },
});

if (visitor) {
  test('examples/apache: the site behind hears who it is from Apache alone', { timeout: 60_000 }, async () => {
    const site = visitor();
    await site.signIn('xiaohong');
    for (const name of ['X-Remote-User', 'X-Remote-Name', 'X_Remote_User', 'X_Remote_Name']) {
      const html = await (await site.jar.get(`${site.url}/`, { headers: { [name]: 'forged' } })).text();
      assert.match(html, /小红/);
      assert.doesNotMatch(html, /forged/);
    }
  });

  test('examples/apache: without a sign-in nothing reaches the site behind', { timeout: 60_000 }, async () => {
    const site = visitor();
    const answer = await site.jar.get(`${site.url}/anything`, { headers: { 'X-Remote-User': 'forged' } });
    assert.equal(answer.status, 302);
    assert.ok(answer.headers.get('location').startsWith(`${site.house.server.url}/authorize?`));
  });
}
