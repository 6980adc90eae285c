/** What every proxy in front of Mashang must hold, whichever program it is. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { attribute, location } from '../support/jar.mjs';
import { freePort, startSandbox, startServer, temporaryFolder } from '../support/processes.mjs';
import { until } from '../support/wait.mjs';
import { WeChat } from '../support/wechat.mjs';
import { NAME, Visitor, ask, openWebSocket, startNode } from './support.mjs';

/** Far less than the 15 seconds after which a comment would push out what was held back. */
const AT_ONCE = 5_000;
/** Where the website wants its visitors back. */
export const RETURN = 'https://shop.example/callback';
/** What the website asks for. */
export const REQUEST = {
  client_id: 'shop', response_type: 'code', redirect_uri: RETURN, scope: 'openid', state: 'a-state-of-22-letters.', prompt: 'login',
  nonce: 'a-nonce-of-22-letters.', code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
};

/**
 * @param {string} name
 * @param {object} proxy
 * @param {string | false} proxy.skip why it is not tried
 * @param {(wanted: {folder: string, nodes: number[]}) => Promise<{port: number, stop: () => Promise<void>, written: () => string}>} proxy.start
 */
export function standsInFront(name, { skip, start }) {
  const stage = {};
  const started = [];
  before(async () => {
    if (!skip) stage.folder = await temporaryFolder();
  });
  after(async () => {
    stage.visitor?.close();
    for (const each of started) await each.stop();
    for (const part of [stage.server, stage.sandbox]) await part?.stop();
    if (stage.folder) await rm(stage.folder, { recursive: true, force: true });
  });
  const inFrontOf = async (...nodes) => {
    // Before the proxy starts, since what runs must be stopped whether it starts or not.
    started.push(...nodes.filter((node) => node.seen));
    const proxy = await start({ folder: `${stage.folder}/${started.length}`, nodes: nodes.map((node) => node.port) });
    started.push(proxy);
    return proxy;
  };

  test(`${name}: whole logins; what happens on the phone is pushed to the browser at once, by a stream and by a WebSocket`, { skip }, async () => {
    stage.sandbox = await startSandbox();
    stage.server = await startServer({ sandbox: stage.sandbox, proxies: ['127.0.0.1'] });
    await stage.server.addClient('shop', ['--name', 'Shop', '--redirect-uri', RETURN]);
    stage.visitor = new Visitor((await inFrontOf(stage.server)).port);
    for (const way of ['events', 'news']) {
      await new Login(stage.visitor, stage.server.url, new WeChat(stage.sandbox.url), 'xiaoming', way).all();
    }
  });

  test(`${name}: bytes of an event stream pass one by one`, { skip }, async () => {
    let tell;
    const node = await startNode((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      tell = response;
      response.write('data: 1\n\n');
    });
    const visitor = new Visitor((await inFrontOf(node)).port);
    const stream = await visitor.events(`https://${NAME}/login/g/t/events`);
    for (const number of [1, 2, 3]) {
      await until(`event ${number}`, () => stream.text.endsWith(`data: ${number}\n\n`), AT_ONCE);
      tell.write(`data: ${number + 1}\n\n`);
    }
    const left = new Promise((done) => { tell.once('close', done); });
    visitor.close();
    await left; // a browser that goes gives its place at the node back
  });

  test(`${name}: a WebSocket passes both ways`, { skip }, async () => {
    const node = await startNode((_, response) => response.end());
    const socket = await openWebSocket((await inFrontOf(node)).port, '/login/g/t/socket');
    const got = [];
    socket.setEncoding('utf8').on('data', (text) => got.push(text));
    for (const word of ['one', 'two']) {
      socket.write(word);
      await until(`${word} comes back`, () => got.join('').endsWith(word), AT_ONCE);
    }
    socket.destroy();
  });

  test(`${name}: SEC-72, the visitor's address and the request's name come from the proxy alone`, { skip }, async () => {
    const node = await startNode((_, response) => response.end('ok'));
    const { port } = await inFrontOf(node);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const headers = { host: NAME, 'x-forwarded-for': '203.0.113.9', 'x-request-id': 'of-the-visitor', traceparent, tracestate: 'of=the-visitor' };
    await ask(port, '/', { headers });
    (await openWebSocket(port, '/login/g/t/events', headers)).destroy();
    assert.equal(node.seen.length, 2);
    for (const seen of node.seen) {
      assert.equal(seen.headers['x-forwarded-for'], '127.0.0.1');
      assert.notEqual(seen.headers['x-request-id'], 'of-the-visitor');
      assert.deepEqual([seen.headers.traceparent, seen.headers.tracestate], [undefined, undefined], 'which trace it belongs to');
    }
  });

  test(`${name}: a node that refuses connections is passed over, by POSTs too`, { skip }, async () => {
    const node = await startNode((_, response) => response.end('ok'));
    const { port } = await inFrontOf({ port: await freePort() }, node);
    for (const method of ['GET', 'POST', 'GET', 'POST', 'POST', 'GET']) {
      const { status } = await ask(port, '/token', { method, headers: { host: NAME } });
      assert.equal(status, 200, method);
    }
    assert.equal(node.seen.length, 6);
  });

  test(`${name}: promise 3, a node that dies over a request: a GET is asked elsewhere, a POST is never sent twice`, { skip }, async () => {
    const dying = await startNode((asked) => asked.socket.destroy());
    const well = await startNode((_, response) => response.end('ok'));
    const { port } = await inFrontOf(dying, well);
    const times = (url) => [...dying.seen, ...well.seen].filter((asked) => asked.url === url).length;
    const lost = [];
    // POSTs first: a node that has failed a few times is left out for a while, and reading would use that up.
    await until('the dying node was given a POST', async () => {
      const posted = `/token?${randomUUID()}`;
      const { status } = await ask(port, posted, { method: 'POST', headers: { host: NAME }, body: 'code=1' });
      assert.equal(times(posted), 1, `a POST that ended with ${status}`);
      if (status !== 200) lost.push(status);
      return lost.length > 0;
    });
    await until('the dying node was asked to read', async () => {
      assert.equal((await ask(port, `/jwks?${randomUUID()}`, { headers: { host: NAME } })).status, 200);
      return dying.seen.some((asked) => asked.method === 'GET');
    });
    assert.ok(lost.every((status) => status === 502), `${lost}`);
  });

  test(`${name}: what is not for strangers is closed`, { skip }, async () => {
    const node = await startNode((_, response) => response.end('ok'));
    const { port } = await inFrontOf(node);
    for (const closed of ['/readyz', '/channel/wechat/access-token']) {
      const { status } = await ask(port, closed, { headers: { host: NAME } });
      assert.ok([403, 404].includes(status), `${closed}: ${status}`);
    }
    assert.equal((await ask(port, '/healthz', { headers: { host: NAME } })).status, 200);
    assert.deepEqual(node.seen.map((asked) => asked.url), ['/healthz']);
  });

  test(`${name}: promise 10, no code and no link that is good once is written down, not even in trouble`, { skip }, async () => {
    const dying = await startNode((asked) => asked.socket.destroy());
    const proxy = await inFrontOf(dying);
    const callback = await ask(proxy.port, '/channel/wechat/callback?code=once-1&state=s', { headers: { host: NAME } });
    assert.equal(callback.status, 502);
    await ask(proxy.port, '/s/ticket/from/once-2', { method: 'POST', headers: { host: NAME }, body: 'x' });
    await proxy.stop();
    assert.ok(dying.seen.length >= 2);
    assert.doesNotMatch(proxy.written(), /once-/);
  });
}

/** One login of a browser that knows nothing but the proxy; the phone goes to the nodes by itself. */
export class Login {
  /** @param {'events' | 'news'} way of a {@link Visitor} to be told */
  constructor(visitor, issuer, wechat, person, way = 'events') {
    Object.assign(this, { visitor, issuer, phone: wechat.phone(person), way });
  }

  /** Begins at the website's request, and waits for news. */
  async begin() {
    this.page = await location(await this.visitor.get(`${this.issuer}/authorize?${new URLSearchParams(REQUEST)}`));
    this.html = await (await this.visitor.get(this.page)).text();
    await this.watch();
  }

  async watch() {
    this.stream = await this.visitor[this.way](`${this.page}/events`);
    assert.ok([101, 200].includes(this.stream.status), `${this.stream.status}`);
  }

  /** Waits for an event, for much less than it would take if something held it back. */
  told(status) {
    return until(`told: ${status}`, () => this.stream.text.includes(`"${status}"`), AT_ONCE);
  }

  scan() {
    return this.phone.scan(new URL(attribute(this.html, /href="([^"]+)"[^>]* data-link="sandbox"/)).searchParams.get('open'));
  }

  approve() {
    return this.phone.approve(attribute(this.html, /data-text="number">([^<]+)</));
  }

  /** Collects the approval: the website gets its code. */
  async collect() {
    const redeemed = await this.visitor.post(`${this.page}/redeem`, {}, { headers: { accept: 'application/json' } });
    assert.ok((await redeemed.json()).redirect.startsWith(`${RETURN}?code=`));
  }

  async all() {
    await this.begin();
    await this.told('waiting');
    await this.scan();
    await this.told('scanned');
    await this.approve();
    await this.told('approved');
    await this.collect();
  }
}
