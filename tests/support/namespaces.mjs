/**
 * Machines of their own, as network namespaces: what is started there is reached over links that can be cut. A cut link drops
 * whatever is sent into it and tells nobody, as a switch that failed does; the carrier stays up, no connection is reset.
 */

import { execFile } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const ip = (...words) => execute('ip', words);

/** Why there can be no namespaces here, as a sentence; `false` where there can. */
export async function whyNot() {
  if (process.platform !== 'linux') return 'network namespaces are of Linux';
  if (process.getuid() !== 0) return 'network namespaces need root: run this file by sudo';
  let machine;
  try {
    machine = await startMachine();
    const link = await machine.link();
    await link.cut();
    await link.heal();
    return false;
  } catch (error) {
    return `no network namespace can be made here (are \`ip\` and \`tc\` of iproute2 there, and may we?): ${String(error.message).trim()}`;
  } finally {
    await machine?.stop();
  }
}

/** A machine without any link yet. */
export async function startMachine() {
  const name = `mashang-${randomBytes(4).toString('hex')}`;
  await ip('netns', 'add', name);
  const machine = new Machine(name);
  await ip('-n', name, 'link', 'set', 'lo', 'up');
  return machine;
}

class Machine {
  constructor(name) {
    this.name = name;
    this.links = [];
  }

  /** Words before a command, that run it there. The process is the command's own. */
  get within() {
    return ['ip', 'netns', 'exec', this.name];
  }

  /** One more link between here and there. */
  async link() {
    const id = randomBytes(4).toString('hex');
    const link = new Link(this.name, `mn${id}`, `mf${id}`);
    this.links.push(link);
    // 198.18.0.0/15 is set aside for tests of networks (RFC 2544).
    const block = [198, 18 + randomInt(2), randomInt(256), 4 * randomInt(64)];
    const [near, far] = [1, 2].map((offset) => [...block.slice(0, 3), block[3] + offset].join('.'));
    Object.assign(link, { near, far });
    await ip('link', 'add', link.nearEnd, 'type', 'veth', 'peer', 'name', link.farEnd, 'netns', this.name);
    await ip('address', 'add', `${near}/30`, 'dev', link.nearEnd);
    await ip('link', 'set', link.nearEnd, 'up');
    await ip('-n', this.name, 'address', 'add', `${far}/30`, 'dev', link.farEnd);
    await ip('-n', this.name, 'link', 'set', link.farEnd, 'up');
    return link;
  }

  async stop() {
    for (const { nearEnd } of this.links) await ip('link', 'delete', nearEnd).catch(() => {});
    await ip('netns', 'delete', this.name).catch(() => {});
  }
}

/** `near` and `far`: the addresses at its two ends. */
class Link {
  constructor(machine, nearEnd, farEnd) {
    Object.assign(this, { machine, nearEnd, farEnd });
  }

  /** From now on nothing comes through. A queue that holds no packet drops each one. */
  async cut() {
    await execute('tc', ['qdisc', 'replace', 'dev', this.nearEnd, 'root', 'pfifo', 'limit', '0']);
    await execute('tc', ['-n', this.machine, 'qdisc', 'replace', 'dev', this.farEnd, 'root', 'pfifo', 'limit', '0']);
  }

  async heal() {
    await execute('tc', ['qdisc', 'delete', 'dev', this.nearEnd, 'root']);
    await execute('tc', ['-n', this.machine, 'qdisc', 'delete', 'dev', this.farEnd, 'root']);
  }
}
