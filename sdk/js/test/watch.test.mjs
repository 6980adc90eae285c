/** The watcher against a network that a test answers, in a time that a test lets pass. */

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { watch } from '../src/watch.js';
import { NOTHING, World, event, never, offline } from './world.mjs';

const URLS = { status: 'https://login.example/t/status', events: 'https://login.example/t/events', socket: 'wss://login.example/t/events' };
const WAITING = { status: 'waiting', version: 1, seconds_left: 120 };
const SCANNED = { status: 'scanned', version: 2, seconds_left: 120 };
const APPROVED = { status: 'approved', version: 3, seconds_left: 60 };

let world;
afterEach(() => world.restore());

/** Starts to watch; `told` are the statuses heard. */
function start(answer, { upgrades = false, ...options } = {}) {
  world = new World(answer);
  world.upgrades = upgrades;
  const told = [];
  const watcher = watch({ urls: URLS, onNews: (news) => told.push(news.status), onGone: () => told.push('gone'), ...options });
  return { told, watcher };
}

/** A network with a stream, and an answer to questions. */
function network({ stream = {}, status = WAITING }) {
  return ({ url }) => (url.pathname.endsWith('/events') ? { stream } : { body: status });
}

/** Behind everything that lets sockets through. */
const sockets = (options = {}) => start(network({ stream: {} }), { upgrades: true, ...options });
const says = (news) => world.sockets.at(-1).hear(JSON.stringify(news));

test('a socket carries the news, without a question, and the last one ends it', async () => {
  const { told } = sockets({ headers: { authorization: 'Bearer msw_s' } });
  await world.settle();
  const [socket] = world.sockets;
  assert.equal(socket.url, 'wss://login.example/t/events');
  assert.deepEqual(socket.protocols, ['Bearer', 'msw_s'], 'the secret, which a socket cannot send in a header');
  for (const news of [WAITING, SCANNED, APPROVED]) says(news);
  assert.deepEqual(told, ['waiting', 'scanned', 'approved']);
  await world.settle();
  assert.deepEqual(world.asked(), []);
  assert.deepEqual(world.leftovers, NOTHING);
});

test('our own page offers no secret: its cookie goes along', async () => {
  const { watcher } = sockets();
  await world.settle();
  assert.deepEqual(world.sockets[0].protocols, ['Bearer']);
  watcher.stop();
  await world.settle();
  assert.deepEqual(world.leftovers, NOTHING);
});

test('where sockets are refused, the stream is tried at once', async () => {
  const { told, watcher } = start(network({ stream: { first: event(WAITING) } }));
  await world.settle();
  assert.equal(world.sockets.length, 1);
  assert.deepEqual(told, ['waiting']);
  assert.deepEqual(world.asked(), ['GET /t/events']);
  watcher.stop();
});

test('a server that has no sockets is not asked for one', async () => {
  const { told, watcher } = start(network({ stream: { first: event(WAITING) } }), { urls: { ...URLS, socket: undefined } });
  await world.settle();
  assert.deepEqual([told, world.sockets], [['waiting'], []]);
  watcher.stop();
});

test('where there are no sockets at all, the stream is tried at once', async () => {
  world = new World(network({ stream: { first: event(WAITING) } }));
  const told = [];
  globalThis.WebSocket = undefined;
  const watcher = watch({ urls: URLS, onNews: ({ status }) => told.push(status), onGone() {} });
  await world.settle();
  assert.deepEqual(told, ['waiting']);
  watcher.stop();
});

test('a proxy that holds the handshake back is noticed after eight seconds', async () => {
  const { watcher } = sockets();
  await world.pass(7900);
  assert.deepEqual(world.asked(), []);
  await world.pass(200);
  assert.deepEqual(world.asked(), ['GET /t/events']);
  await world.pass(8000);
  assert.equal(world.asked()[0], 'GET /t/status?wait=25&seen=0', 'and the stream as well: sixteen seconds in all');
  watcher.stop();
  await world.settle();
  assert.deepEqual(world.leftovers, NOTHING);
});

test('a socket that breaks is opened again, and a silent one is given up', async () => {
  const { watcher } = sockets();
  await world.settle();
  says(WAITING);
  world.sockets[0].drop();
  await world.pass(1100);
  assert.equal(world.sockets.length, 2);
  says(WAITING);
  for (let beats = 0; beats < 4; beats += 1) {
    await world.pass(15_000);
    world.sockets[1].hear('');
  }
  assert.equal(world.sockets.length, 2, 'signs of life');
  await world.pass(47_000);
  assert.equal(world.sockets.length, 3, 'a dead connection');
  assert.deepEqual(world.asked(), []);
  watcher.stop();
});

test('a hidden page holds no socket, and opens one again when it is seen', async () => {
  const { told, watcher } = sockets();
  await world.settle();
  says(WAITING);
  await world.hide(true);
  assert.deepEqual(world.leftovers.requests, 0);
  await world.pass(60_000);
  assert.equal(world.sockets.length, 1);
  await world.hide(false);
  assert.equal(world.sockets.length, 2);
  assert.deepEqual(world.asked(), ['GET /t/status']);
  world.sockets[0].hear(JSON.stringify(APPROVED));
  assert.deepEqual(told, ['waiting', 'waiting'], 'the former socket is not listened to any more');
  watcher.stop();
  await world.settle();
  assert.deepEqual(world.leftovers, NOTHING);
});

test('over a socket too, what is overtaken is not told, and what is gone is told once', async () => {
  const { told } = sockets({ seen: 2 });
  await world.settle();
  says(WAITING);
  says(SCANNED);
  says({ status: 'gone' });
  says({ status: 'gone' });
  assert.deepEqual(told, ['scanned', 'gone']);
  await world.settle();
  assert.deepEqual(world.leftovers, NOTHING);
});

test('garbage from a socket moves nothing, and the stream is tried', async () => {
  const { told, watcher } = sockets();
  await world.settle();
  for (const garbage of ['<html>', '{}', 'null', '7']) world.sockets[0].hear(garbage);
  await world.pass(8000);
  assert.deepEqual(told, []);
  assert.deepEqual(world.asked(), ['GET /t/events']);
  watcher.stop();
});

test('pushed events carry the news, without a question, and the last one ends it', async () => {
  const stream = { first: event(WAITING) };
  const { told } = start(network({ stream }), { headers: { authorization: 'Bearer s' } });
  await world.settle();
  stream.send(event(SCANNED).slice(0, 20));
  await world.settle();
  stream.send(event(SCANNED).slice(20) + event(APPROVED));
  await world.settle();
  assert.deepEqual(told, ['waiting', 'scanned', 'approved']);
  assert.equal(world.requests[0].headers.authorization, 'Bearer s');
  assert.equal(world.requests[0].credentials, 'omit');
  assert.deepEqual(world.asked(), ['GET /t/events']);
  assert.deepEqual(world.leftovers, NOTHING);
});

test('lines that end with CR LF, and comments between, are read', async () => {
  const stream = { first: `: hello\r\n\r\n${event(WAITING).replace(/\n/g, '\r\n')}` };
  const { told, watcher } = start(network({ stream }));
  await world.settle();
  assert.deepEqual(told, ['waiting']);
  watcher.stop();
});

test('where the stream is refused, held requests carry the news', async () => {
  const answers = [WAITING, SCANNED];
  const { told, watcher } = start(({ url }) => (url.pathname.endsWith('/events') ? { status: 502 }
    : answers.length ? { body: answers.shift() } : never), { seen: 1 });
  await world.pass(3000);
  assert.deepEqual(told, ['waiting', 'scanned']);
  assert.deepEqual(world.asked(), ['GET /t/events', 'GET /t/status?wait=25&seen=1', 'GET /t/status?wait=25&seen=1', 'GET /t/status?wait=25&seen=2']);
  watcher.stop();
  await world.settle();
  assert.deepEqual(world.leftovers, NOTHING);
});

test('a proxy that holds the stream back is noticed after eight seconds', async () => {
  const { watcher } = start(({ url }) => (url.pathname.endsWith('/events') ? { stream: {} } : never));
  await world.pass(7900);
  assert.deepEqual(world.asked(), ['GET /t/events']);
  await world.pass(200);
  assert.deepEqual(world.asked(), ['GET /t/status?wait=25&seen=0']);
  watcher.stop();
});

test('where held requests are held back as well, it asks again and again', async () => {
  const { told, watcher } = start(({ url }) => (url.pathname.endsWith('/events') ? offline()
    : url.search ? never : { body: SCANNED }));
  await world.pass(43_000);
  assert.deepEqual(told.slice(0, 1), ['scanned']);
  const asked = world.asked();
  assert.equal(asked[1], 'GET /t/status?wait=25&seen=0');
  assert.equal(asked[2], 'GET /t/status');
  await world.pass(20_000);
  assert.equal(world.asked().length, 10, 'one every two seconds');
  watcher.stop();
});

test('a stream that breaks is opened again, and a silent one is given up', async () => {
  const streams = [];
  const { watcher } = start(() => {
    const stream = { first: event(WAITING) };
    streams.push(stream);
    return { stream };
  });
  await world.settle();
  streams[0].end();
  await world.pass(1100);
  assert.equal(streams.length, 2);
  await world.pass(47_000);
  assert.equal(streams.length, 3, 'a dead connection');
  watcher.stop();
});

test('without a network the questions become rarer, and being online again asks at once', async () => {
  let isOnline = false;
  const { told, watcher } = start(() => (isOnline ? { body: APPROVED } : offline()));
  await world.pass(60_000);
  const asked = world.asked();
  assert.ok(asked.length < 15, `${asked.length} requests in a minute`);
  isOnline = true;
  await world.online();
  assert.deepEqual(told, ['approved']);
  assert.deepEqual(world.asked(), ['GET /t/status']);
  watcher.stop();
  assert.deepEqual(world.leftovers, NOTHING);
});

test('a hidden page asks nothing for five minutes, and one question follows at once when it is seen again', async () => {
  const stream = { first: event(WAITING) };
  const { told } = start(network({ stream, status: APPROVED }));
  await world.settle();
  world.asked();
  await world.hide(true);
  assert.equal(world.leftovers.requests, 0);
  await world.pass(300_000);
  assert.deepEqual(world.asked(), []);
  assert.equal(world.leftovers.timers, 0);
  await world.hide(false);
  assert.deepEqual(told, ['waiting', 'approved']);
  assert.deepEqual(world.asked(), ['GET /t/status']);
  assert.deepEqual(world.leftovers, NOTHING);
});

test('a page that is hidden from the start asks nothing until it is seen', async () => {
  world = new World(network({ stream: { first: event(WAITING) } }));
  globalThis.document.hidden = true;
  const told = [];
  const watcher = watch({ urls: URLS, onNews: ({ status }) => told.push(status), onGone() {} });
  await world.pass(10_000);
  assert.deepEqual(world.asked(), []);
  await world.hide(false);
  assert.deepEqual(world.asked(), ['GET /t/status', 'GET /t/events']);
  watcher.stop();
});

test('what is overtaken is not told', async () => {
  const stream = { first: event(SCANNED) + event(WAITING) };
  const { told, watcher } = start(network({ stream }));
  await world.settle();
  assert.deepEqual(told, ['scanned']);
  watcher.stop();
});

test('a ticket that the server forgot is told once', async () => {
  for (const answer of [() => ({ status: 404 }), ({ url }) => (url.pathname.endsWith('/events') ? { stream: { first: 'event: gone\ndata: {"status":"gone"}\n\n' } } : never)]) {
    const { told } = start(answer);
    await world.pass(5000);
    assert.deepEqual(told, ['gone']);
    assert.deepEqual(world.leftovers, NOTHING);
    world.restore();
  }
});

test('the server is given the time it asks for', async () => {
  const { watcher } = start(() => ({ status: 429, headers: { 'retry-after': '30' } }));
  await world.settle();
  world.asked();
  await world.pass(29_000);
  assert.deepEqual(world.asked(), []);
  await world.pass(2000);
  assert.equal(world.asked().length, 1);
  watcher.stop();
});

test('one can ask for one question, hidden or not, and stopping ends it', async () => {
  const { told, watcher } = start(network({ stream: {}, status: SCANNED }));
  await world.hide(true);
  world.asked();
  watcher.check();
  await world.settle();
  assert.deepEqual(told, ['scanned']);
  assert.deepEqual(world.asked(), ['GET /t/status']);
  watcher.stop();
  watcher.check();
  await world.settle();
  assert.deepEqual(told, ['scanned']);
  assert.deepEqual(world.leftovers, NOTHING);
});

test('garbage in the stream moves nothing and breaks nothing', async () => {
  const stream = { first: 'event: status\ndata: <html>\n\n' };
  const { told, watcher } = start(({ url }) => (url.pathname.endsWith('/events') ? { stream } : { body: SCANNED }));
  await world.pass(8100);
  assert.equal(told[0], 'scanned');
  watcher.stop();
});
