/** Traces of a real process: what an OTLP receiver hears by the time it has stopped, and what a receiver that is away costs. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';

import { startComputer } from '../support/computer.mjs';
import { startHouse } from '../support/house.mjs';
import { freePort } from '../support/processes.mjs';

const running = new Set();
after(() => Promise.all([...running].map((one) => one.stop())));

async function house(endpoint) {
  const started = await startHouse({ settings: `[traces]\nendpoint = "${endpoint}"\n[log]\nformat = "json"\n` });
  running.add(started);
  return started;
}

/** An OTLP/HTTP receiver that keeps what it is sent, as text: names and values are plain in protobuf. */
async function startReceiver() {
  const heard = [];
  const server = createServer(async (request, answer) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    heard.push({ path: request.url, type: request.headers['content-type'], text: Buffer.concat(chunks).toString('latin1') });
    answer.end();
  });
  await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
  const stop = () => new Promise((done) => { server.close(done); server.closeAllConnections(); });
  const receiver = { heard, url: `http://127.0.0.1:${server.address().port}`, stop };
  running.add(receiver);
  return receiver;
}

async function logIn(place) {
  const computer = await startComputer(place);
  await computer.status();
  const phone = place.wechat.phone('ada');
  await phone.scan(computer.scanUrl);
  await phone.approve(computer.number);
  assert.equal((await computer.finish()).name, 'Ada');
  return { computer, phone };
}

test('SEC-77 a server that stops has told the whole login before, and no secret of it', async () => {
  const receiver = await startReceiver();
  const place = await house(receiver.url);
  const { computer, phone } = await logIn(place);
  // At once: the last spans have waited for nothing but this.
  assert.equal(await place.server.running.stop(), 0);
  const told = receiver.heard.map(({ text }) => text).join('\n');
  assert.ok(receiver.heard.every(({ path, type }) => path === '/v1/traces' && type === 'application/x-protobuf'));
  for (const name of ['GET /authorize', 'sns/oauth2/access_token', 'ticket scanned', 'POST /s/{ticket}/approve', 'ticket redeemed', 'POST /token', 'GET /userinfo']) {
    assert.ok(told.includes(name), `${name} was not told`);
  }
  assert.ok(!told.includes('/status') && !told.includes('/events') && !told.includes('/assets'));
  const person = await place.wechat.person('ada');
  const [grant, ticket] = new URL(computer.page).pathname.split('/').slice(2);
  const secrets = {
    grant,
    ticket,
    'the client secret': place.site.secret,
    'the AppSecret': place.sandbox.official.secret,
    ...Object.fromEntries([...computer.jar.cookies, ...phone.jar.cookies]),
    ...person.openids,
    ...person.unionids,
  };
  for (const [name, secret] of Object.entries(secrets)) assert.ok(!told.includes(secret), `${name} was told`);
  const log = place.server.log().map((line) => JSON.parse(line));
  assert.ok(log.some(({ message }) => message?.startsWith(`traces go to ${receiver.url}`)), 'the start says where to');
  assert.ok(!log.some(({ message }) => message?.startsWith('traces:')), 'nothing is lost');
});

test('a receiver that is away is warned of once, and neither logins nor the stop wait for it', async () => {
  const place = await house(`http://127.0.0.1:${await freePort()}`);
  await logIn(place);
  await logIn(place);
  assert.equal(await place.server.running.stop(), 0);
  const warned = place.server.log().map((line) => JSON.parse(line)).filter(({ message }) => message?.startsWith('traces:'));
  assert.equal(warned.length, 1);
  assert.equal(warned[0].level, 'WARN');
  assert.match(warned[0].message, /logins go on: no connection \(.*refused.*\); check traces\.endpoint/);
});
