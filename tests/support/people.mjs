/**
 * People who want in, whatever happens to nodes and engines meanwhile, and what must be true of them afterwards: whoever did
 * not say yes is not let in, everybody else is in the end, nothing they were told is lost, and the audit trail has it.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { startComputer } from './computer.mjs';
import { location } from './jar.mjs';
import { until } from './wait.mjs';

const PEOPLE = ['xiaoming', 'xiaohong', 'ada'];
/** What a person does, in turn. */
const WILLS = ['yes', 'yes', 'yes', 'no', 'yes', 'wrong'];
/** How long a person tries one step again, in milliseconds: longer than an engine is away. */
const STEP = 45_000;
/** How often a person begins anew. */
const ATTEMPTS = 10;

/** Why a person has to begin anew: what they had is gone, which is allowed. */
class Broken extends Error {}

/** Tries a step again, as people and pages do when something fails under it. */
function persist(what, step) {
  return until(what, async () => {
    try {
      return await step();
    } catch (error) {
      if (error instanceof Broken || error instanceof assert.AssertionError) throw error;
      if (/no (redirect but|confirm page:) 4(?!29)/.test(error.message)) throw new Broken(error.message);
      return undefined; // a 502 or 503, or a connection that broke
    }
  }, STEP);
}

/** An answer that counts; what is being repaired is asked again, what is over is over. */
function settled(answer) {
  if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) throw new Broken(`over: ${answer.status}`);
  return answer.ok ? answer : undefined;
}

export class Crowd {
  /** @param {Awaited<ReturnType<typeof import('./nodes.mjs').startNodes>>} house */
  constructor(house) {
    this.house = house;
    /** How each visit ended. */
    this.ends = [];
    this.next = 0;
  }

  /**
   * `atOnce` people at a time, until `going` says that it is enough.
   *
   * @param {(begun: number) => boolean} going
   */
  async come(going, atOnce = 6) {
    await Promise.all(Array.from({ length: atOnce }, async () => {
      while (going(this.next)) {
        const index = this.next;
        this.next += 1;
        this.ends.push(await this.visit(index));
      }
    }));
  }

  /**
   * People come, and when they are at every stage of a login `trouble` begins; until it is over they come, and for a while
   * after it. Every one of them stays to the end.
   */
  async during(trouble, more = 12) {
    let last = Infinity;
    const over = until('people come and go', () => this.ends.length >= 8).then(trouble).finally(() => { last = this.next + more; });
    await Promise.all([over, this.come((begun) => begun < last, 8)]);
  }

  /** One person's evening: they begin until it ends as they want it, or give up. */
  async visit(index) {
    const [person, will] = [PEOPLE[index % PEOPLE.length], WILLS[index % WILLS.length]];
    for (let attempts = 1; attempts <= ATTEMPTS; attempts += 1) {
      try {
        return { person, will, attempts, ...await this.attempt(person, will) };
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        this.why = error;
      }
    }
    return { person, will, outcome: `gave up: ${this.why}`, attempts: ATTEMPTS };
  }

  async attempt(person, will) {
    const computer = await persist('a login page', () => startComputer(this.house));
    const phone = this.house.wechat.phone(person);
    await persist('a confirm page', async () => settled(await phone.scan(computer.scanUrl)));
    // Nothing a page shows is an approval: a browser that asks too early gets nothing.
    const early = await computer.redeem().catch(() => ({ status: 'broken' }));
    assert.notEqual(early.status, 200, 'redeemed before the person said yes');
    const digits = will === 'wrong' ? String((Number(computer.number) + 1) % 100).padStart(2, '0') : computer.number;
    const said = await persist('an answer on the phone', () => (will === 'no' ? phone.deny() : phone.approve(digits)));
    if (will !== 'yes') {
      const answer = await persist('an answer in the browser', async () => {
        const redeemed = await computer.redeem();
        return redeemed.status < 500 ? redeemed : undefined;
      });
      return { outcome: answer.status === 200 ? 'let in' : 'kept out' };
    }
    if (said !== 'approved') throw new Broken(said);
    const redirect = await persist('the way back', async () => {
      const answer = settled(await computer.redeem());
      return answer && (await answer.json()).redirect;
    });
    const who = await computer.arrive(redirect);
    assert.ok(who.sub);
    return { outcome: 'let in', sub: who.sub, computer };
  }

  /** What must be true in the end. */
  async account() {
    for (const { person, will, outcome } of this.ends) assert.equal(outcome, will === 'yes' ? 'let in' : 'kept out', `${person}, ${will}`);
    for (const person of PEOPLE) {
      const subs = new Set(this.ends.filter((end) => end.person === person && end.sub).map(({ sub }) => sub));
      assert.ok(subs.size <= 1, `${person} is one person: ${[...subs].join()}`);
    }
    const inside = this.ends.filter(({ computer }) => computer);
    await Promise.all(inside.map(async ({ computer }) => {
      const authorize = await location(await computer.jar.get(`${this.house.site.url}/login`));
      const back = await location(await computer.jar.get(authorize));
      assert.ok(back.startsWith(`${this.house.site.url}/callback`), `a session that was begun is gone: ${back}`);
    }));
    await audited(this.house, inside.map(({ computer }) => computer));
    const attempts = this.ends.reduce((sum, end) => sum + end.attempts, 0);
    return `${this.ends.length} people, ${inside.length} let in, ${attempts} attempts`;
  }
}

/**
 * Every login that got in has a row of each step in the audit trail; or, where the database did not take it, the line in the
 * log that says all it would have said.
 */
export async function audited(house, computers) {
  const { stdout } = await promisify(execFile)('psql', ['-At', house.database, '-c', 'select ticket, kind from audit_events where ticket is not null']);
  const rows = new Set(stdout.trim().split('\n'));
  const unwritten = house.nodes.flatMap((node) => node.log()).filter((line) => /audit event \w+ was not written/.test(line));
  for (const { scanCode } of computers) {
    const ticket = scanCode.slice(0, 6);
    for (const kind of ['ticket_started', 'ticket_scanned', 'ticket_approved', 'signed_in']) {
      const told = unwritten.some((line) => line.includes(ticket) && line.includes(`audit event ${kind} was not written`));
      assert.ok(rows.has(`${ticket}|${kind}`) || told, `no ${kind} of ${ticket}`);
    }
  }
}
