/** A wire between a program and what it talks to, that a test can cut, hold, slow down and mend. */

import { connect, createServer } from 'node:net';
import { once } from 'node:events';

/**
 * Ends a connection as a machine does whose program has ended. Not while the socket says goodbye by itself: Node then marks its
 * handle as closing and never closes it, and the process spins at its end.
 */
function reset(socket) {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/**
 * Listens on a free port and passes bytes on to `127.0.0.1:port`.
 *
 * @param {number} port
 */
export async function startWire(port) {
  const wire = new Wire(port);
  wire.listener.listen(0, '127.0.0.1');
  await once(wire.listener, 'listening');
  return wire;
}

class Wire {
  constructor(port) {
    this.port = port;
    this.pairs = new Set();
    this.sockets = new Set();
    this.state = 'whole';
    /** Milliseconds that bytes are on their way, in each direction. */
    this.delay = 0;
    this.listener = createServer((near) => this.accept(near));
  }

  /** The port of this end. */
  get end() {
    return this.listener.address().port;
  }

  accept(near) {
    if (this.state === 'cut') return reset(near);
    const far = connect(this.port, '127.0.0.1');
    const pair = { near, far };
    this.pairs.add(pair);
    for (const [from, to] of [[near, far], [far, near]]) {
      this.sockets.add(from);
      from.on('data', (bytes) => {
        if (this.state === 'whole' && this.delay) setTimeout(() => to.write(bytes), this.delay);
        else if (this.state === 'whole') to.write(bytes);
        // What was on its way when the wire went dead never arrives, as with a cable.
      });
      from.on('error', () => {});
      from.on('close', () => {
        this.sockets.delete(from);
        if (this.state === 'dead') return; // the other end is told when the wire is mended
        this.pairs.delete(pair);
        // What is still on its way arrives.
        setTimeout(() => to.destroy(), this.delay);
      });
    }
    return undefined;
  }

  /** Whoever talks is refused at once, as by a machine whose program has ended. */
  cut() {
    this.state = 'cut';
    this.drop();
  }

  /** Nothing comes through and nobody is told, as with a cable pulled or a paused machine. */
  deaden() {
    this.state = 'dead';
  }

  /** As at first; what was open when it went dead stays broken, and its ends are told now. */
  mend() {
    if (this.state === 'dead') this.drop();
    this.state = 'whole';
  }

  drop() {
    for (const { near, far } of this.pairs) {
      reset(near);
      far.destroy();
    }
    this.pairs.clear();
  }

  stop() {
    this.listener.close();
    for (const socket of this.sockets) socket.destroy();
  }
}
