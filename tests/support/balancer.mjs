/**
 * What stands in front of several nodes: any request may go to any of them (no sticky sessions). A request that no node
 * has taken in is passed to the next one, as every proxy does; what broke on the way is a 502, whose asker decides.
 */

import { createServer, request as send } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';

/** @param {number[]} ports of the nodes; may be filled in later */
export async function startBalancer(ports = []) {
  const balancer = new Balancer(ports);
  balancer.listener.listen(0, '127.0.0.1');
  await once(balancer.listener, 'listening');
  return balancer;
}

class Balancer {
  constructor(ports) {
    this.ports = ports;
    this.turn = 0;
    /** Which node gets a request, by its place in `ports`; else they take turns. @type {(path: string) => number | undefined} */
    this.choose = () => undefined;
    this.listener = createServer((incoming, answer) => this.pass(incoming, answer));
    this.listener.on('upgrade', (incoming, socket, head) => this.upgrade(incoming, socket, head));
  }

  get url() {
    return `http://127.0.0.1:${this.listener.address().port}`;
  }

  /** The nodes in the order in which they are tried. */
  order(path) {
    const first = this.choose(path) ?? this.turn++ % this.ports.length;
    return this.ports.map((_, index) => this.ports[(first + index) % this.ports.length]);
  }

  async pass(incoming, answer) {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    for (const port of this.order(incoming.url)) {
      const outcome = await this.ask(port, incoming, body, answer);
      if (outcome !== 'refused') return;
    }
    answer.writeHead(502).end();
  }

  /** One node's try: 'refused' when it did not even take the connection. */
  ask(port, incoming, body, answer) {
    return new Promise((done) => {
      const headers = { ...incoming.headers, 'x-forwarded-for': '127.0.0.1' };
      // A connection of its own: one that was kept may belong to a node that has died, and then nobody knows what it took in.
      const asked = send({ port, host: '127.0.0.1', method: incoming.method, path: incoming.url, headers, agent: false });
      asked.on('response', (theirs) => {
        answer.writeHead(theirs.statusCode, theirs.rawHeaders);
        theirs.pipe(answer);
        theirs.on('error', () => answer.destroy());
        theirs.on('close', () => done('answered'));
        answer.on('close', () => theirs.destroy());
      });
      asked.on('error', (error) => {
        if (error.code === 'ECONNREFUSED') return done('refused');
        if (!answer.headersSent) answer.writeHead(502);
        answer.end();
        return done('broken');
      });
      answer.on('close', () => asked.destroy());
      asked.end(body);
    });
  }

  upgrade(incoming, socket, head) {
    const [port, ...others] = this.order(incoming.url);
    const dial = (candidate, rest) => {
      const node = connect(candidate, '127.0.0.1');
      node.on('connect', () => {
        const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
        for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
          lines.push(`${incoming.rawHeaders[at]}: ${incoming.rawHeaders[at + 1]}`);
        }
        node.write(`${lines.join('\r\n')}\r\n\r\n`);
        node.write(head);
        node.pipe(socket).pipe(node);
      });
      node.on('error', (error) => {
        if (error.code === 'ECONNREFUSED' && rest.length) dial(rest[0], rest.slice(1));
        else socket.destroy();
      });
      socket.on('error', () => node.destroy());
      socket.on('close', () => node.destroy());
    };
    dial(port, others);
  }

  stop() {
    this.listener.closeAllConnections();
    this.listener.close();
  }
}
