/**
 * Two nodes behind the proxies that operators copy from `deploy/`, without sticky sessions: logins go through whichever node
 * the proxy takes, also while one of them dies (promises 7 and 8).
 */

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { caddy, nginx } from '../deploy/fronts.mjs';
import { Login, RETURN } from '../deploy/proxy.mjs';
import { Visitor } from '../deploy/support.mjs';
import { startNodes } from '../support/nodes.mjs';
import { temporaryFolder } from '../support/processes.mjs';
import { until } from '../support/wait.mjs';

for (const [name, { skip, start }] of Object.entries({ nginx, caddy })) {
  describe(`two nodes behind ${name}`, { skip }, () => {
    let house;
    let front;
    let folder;
    let visitor;
    before(async () => {
      folder = await temporaryFolder();
      house = await startNodes({ records: 'POSTGRES', tickets: 'REDIS', count: 2 });
      await house.nodes[0].addClient('shop', ['--name', 'Shop', '--redirect-uri', RETURN]);
      front = await start({ folder: `${folder}/front`, nodes: house.nodes.map((node) => node.port) });
      visitor = new Visitor(front.port);
    });
    after(async () => {
      visitor?.close();
      await front?.stop();
      await house?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    test('promise 7: every login is told of its scan and its approval at once, whichever node each request met', async () => {
      for (const [person, way] of [['xiaoming', 'events'], ['xiaohong', 'news'], ['ada', 'news'], ['xiaoming', 'events']]) {
        await new Login(visitor, house.balancer.url, house.wechat, person, way).all();
      }
    });

    test('promise 8: a node that dies in the middle of a login costs a reconnect', async () => {
      const login = new Login(visitor, house.balancer.url, house.wechat, 'ada', 'news');
      await login.begin();
      await login.told('waiting');
      const [dying] = house.nodes;
      await dying.kill();
      assert.equal((await login.scan()).status, 200, 'the phone sees the confirm page');
      // What hung on the dead node is over; the page's script comes back, and meets the other one.
      await until('told of the scan', async () => {
        if (login.stream.over) await login.watch();
        return login.stream.text.includes('"scanned"');
      });
      await login.approve();
      await login.told('approved');
      await login.collect();
      await dying.restart();
    });
  });
}
