/** `examples/apache`: mod_auth_openidc, and a site behind it that cannot be changed. */

import { accessSync } from 'node:fs';

import { attribute } from '../support/jar.mjs';
import { guards, holds, runs } from './support.mjs';

const MODULE = '/usr/lib/apache2/modules/mod_auth_openidc.so';

const example = {
  name: 'apache',
  start: 'python3 start.py',
  login: '/',
  logOut: async (site) => site.jar.get(new URL(attribute(await site.home(), /id="logout" href="([^"]+)"/), site.url).href),
  needs: {
    'Apache with mod_auth_openidc (apt-get install apache2 libapache2-mod-auth-openidc)': () => accessSync(MODULE),
    'python3 (apt-get install python3)': runs('python3', '--version'),
  },
};

guards(example, holds(example));
