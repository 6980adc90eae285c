/** The site's own accounts, to show that both ways live side by side. A real site has a table of salted hashes. */

import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';

const salt = randomBytes(16);
const hash = (password) => scryptSync(String(password), salt, 32);
const known = new Map([['admin', { sub: 'local:admin', name: '管理员', hash: hash('correct horse battery staple') }]]);
const nobody = { hash: hash(randomBytes(16)) };

export const accounts = {
  check({ name, password }) {
    const account = known.get(String(name)) ?? nobody; // as much work for a name that is not there
    const fits = timingSafeEqual(hash(password), account.hash);
    if (!fits || account === nobody) throw Object.assign(new Error('用户名或密码不对'), { status: 401 });
    return { sub: account.sub, name: account.name };
  },
};
