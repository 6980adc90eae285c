/** `mashang doctor`: what an operator is told before people meet it. */

import assert from 'node:assert/strict';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { after, beforeEach, test } from 'node:test';

import { startBalancer } from '../support/balancer.mjs';
import * as channels from '../support/channels.mjs';
import { startHouse } from '../support/house.mjs';
import { run, startServer } from '../support/processes.mjs';

const everyKind = (sandbox) => [
  channels.officialLink(sandbox), channels.website(sandbox), channels.parametric(sandbox), channels.mini(sandbox),
  channels.wecom(sandbox), '[channel.password]\nkind = "password"\n', '[channel.mail]\nkind = "email"\n',
].join('\n');

const house = await startHouse({ channels: everyKind });
after(() => house.stop());
beforeEach(() => house.wechat.faultsOff());

/** What it prints, line by line, and how it ends. */
async function doctor(config = house.server.config) {
  const told = (stdout) => stdout.trim().split('\n');
  const all = ['doctor', '--config', config];
  return run(all).then(
    (stdout) => ({ lines: told(stdout), status: 0, stderr: '' }),
    ({ stdout, stderr, code }) => ({ lines: told(stdout), status: code, stderr }),
  );
}

const about = ({ lines }, place) => lines.filter((line) => line.includes(`  ${place}: `));
const ill = ({ lines }) => lines.filter((line) => line.startsWith('ILL'));

test('where all is well it says so of everything, and asks for nothing', async () => {
  const before = await house.wechat.call('/people');
  const said = await doctor();
  assert.equal(said.status, 0, said.stderr + said.lines.join('\n'));
  assert.deepEqual(ill(said), []);
  for (const place of ['store, tickets', 'server.public_url', 'channel.wechat', 'channel.wechat-web', 'channel.wechat-scan', 'channel.wechat-mini', 'channel.wecom', 'channel.password']) {
    const lines = about(said, place);
    assert.ok(lines.length > 0 && lines.every((line) => line.startsWith('ok')), `${place}: ${lines}`);
  }
  assert.match(about(said, 'channel.mail').join(), /^note .*sign in by this channel once/);
  assert.match(about(said, 'configuration').join(), /SANDBOX/);
  assert.deepEqual(await house.wechat.call('/people'), before);
});

test('promise_9 a wrong secret and an address that is not on the list are told with what to do, in both languages', async () => {
  const config = `${house.server.folder}/wrong.toml`;
  const text = await readFile(house.server.config, 'utf8');
  await writeFile(config, text.replaceAll(house.sandbox.corp.secret, 'w'.repeat(43)));
  let said = await doctor(config);
  assert.notEqual(said.status, 0);
  assert.ok(ill(said).every((line) => line.includes('channel.wecom')), ill(said).join('\n'));
  assert.match(about(said, 'channel.wecom').join('\n'), /40001.*[一-鿿]/);

  await house.wechat.fault('errcode', { target: 'getuserinfo', code: 60020 });
  said = await doctor();
  assert.match(about(said, 'channel.wecom').join('\n'), /ILL .*60020.*127\.0\.0\.1.*[一-鿿]/, said.lines.join('\n'));
  await house.wechat.faultsOff();

  await house.wechat.fault('ip_not_whitelisted');
  said = await doctor();
  for (const place of ['channel.wechat-scan', 'channel.wechat-mini']) {
    assert.match(about(said, place).join('\n'), /ILL .*40164.*127\.0\.0\.1/, said.lines.join('\n'));
  }
});

test('a platform that answers nonsense is told, and the channels of the other are well', async () => {
  await house.wechat.fault('html_body', { target: 'access_token' });
  const said = await doctor();
  assert.match(about(said, 'channel.wechat-web').join(), /^ILL .*look at proxies first/, said.lines.join('\n'));
  assert.ok(about(said, 'channel.wecom').every((line) => line.startsWith('ok')));
});

test('before the first start it makes nothing, and asks the platforms all the same', async () => {
  const fresh = await startServer({ sandbox: house.sandbox, starts: false });
  try {
    const said = await doctor(fresh.config);
    assert.equal(said.status, 0, said.stderr);
    assert.match(about(said, 'store.url').join(), /^note .*no server has started here/);
    assert.match(about(said, 'channel.wechat').join(), /^ok/);
    assert.deepEqual(await readdir(fresh.folder), ['mashang.toml']);
  } finally {
    await fresh.stop();
  }
});

test('a public address that leads to somebody else, or to nobody, is told', async () => {
  const other = await startServer({ sandbox: house.sandbox });
  try {
    const text = await readFile(other.config, 'utf8');
    const config = `${other.folder}/elsewhere.toml`;
    await writeFile(config, text.replace(`public_url = "${other.url}"`, `public_url = "${house.server.url}"`));
    assert.match(about(await doctor(config), 'server.public_url').join(), /^ILL .*another database/);

    await writeFile(config, text.replace(`public_url = "${other.url}"`, `public_url = "${house.server.url.replace('127.0.0.1', 'localhost')}"`));
    assert.match(about(await doctor(config), 'server.public_url').join(), new RegExp(`^ILL .*answered by \`${house.server.url}\``));

    await writeFile(config, text.replace(`public_url = "${other.url}"`, `public_url = "${house.sandbox.url}"`));
    assert.match(about(await doctor(config), 'server.public_url').join(), /^ILL .*404/);

    await other.running.stop();
    const said = await doctor(other.config);
    assert.equal(said.status, 1);
    assert.match(about(said, 'server.public_url').join(), /^ILL .*cannot be reached.*mashang health.*[一-鿿]/);
    assert.match(said.stderr, /one thing is wrong/);
  } finally {
    await other.stop();
  }
});

test('a proxy that keeps WebSockets out, holds events back or loses cookies is told, with what to change', async () => {
  const proxy = await startBalancer();
  const server = await startServer({ sandbox: house.sandbox, url: proxy.url, proxies: ['127.0.0.1'] });
  try {
    proxy.ports.push(server.port);
    const found = async () => about(await doctor(server.config), 'server.public_url');
    let [leadsHere, waiting] = await found();
    assert.match(leadsHere, /^ok .* leads here$/);
    assert.match(waiting, /^ok .*by WebSocket and by event stream/);

    proxy.upgrade = (_, socket) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    [leadsHere, waiting] = await found();
    assert.match(leadsHere, /^ok/);
    assert.match(waiting, /^note .*WebSockets do not get through \(HTTP 400\).*proxy_http_version.*[一-鿿]/);

    const { pass } = proxy;
    proxy.pass = (incoming, answer) => (incoming.url.endsWith('/events') ? undefined : pass.call(proxy, incoming, answer));
    const [, noSocket, held, ...others] = await found();
    assert.match(noSocket, /^note .*WebSockets/);
    assert.match(held, /^note .*events are held back \(nothing came.*proxy_buffering off.*[一-鿿]/);
    assert.deepEqual(others, []);

    proxy.pass = (incoming, answer) => {
      delete incoming.headers.cookie;
      return pass.call(proxy, incoming, answer);
    };
    assert.match((await found()).join('\n'), /\nILL .*\(HTTP 404\).*Set-Cookie.*[一-鿿]/);
  } finally {
    await server.stop();
    proxy.stop();
  }
});
