/** `examples/nginx`: auth_request with the Go example as the gate, and a site behind it that cannot be changed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { location } from '../support/jar.mjs';
import { guards, holds, runs } from './support.mjs';

const example = {
  name: 'nginx',
  start: 'python3 start.py',
  login: '/',
  needs: {
    'nginx (apt-get install nginx)': runs('nginx', '-v'),
    'Go (https://go.dev/dl)': runs('go', 'version'),
    'python3 (apt-get install python3)': runs('python3', '--version'),
  },
};

const held = holds(example);
guards(example, held);

test('examples/nginx: as many tabs as may sign in at once, of long addresses, are no trouble beside cookies of the site; a longer one leads to /', { skip: !held.visitor }, async () => {
  const site = held.visitor();
  for (const name of ['one', 'two']) site.jar.cookies.set(name, 'x'.repeat(3000));
  const wanted = `${site.url}/reports?${'q'.repeat(390)}`;
  const begin = async (url) => location(await site.jar.get(url));
  for (let tab = 0; tab < 6; tab += 1) assert.match(await begin(wanted), /\/authorize\?/);
  const back = await site.house.scan(await begin(wanted), 'ada');
  const tooLong = await site.house.scan(await begin(`${wanted}${'q'.repeat(100)}`), 'ada');
  assert.equal(await location(await site.jar.get(back)), wanted);
  assert.equal(await location(await site.jar.get(tooLong)), `${site.url}/`);
});
