/**
 * Examples as their readers meet them: registered by the line in their README, started by the command in their README, on
 * a port of their own against a server of their own, and visited by a browser without a screen.
 */

import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { startClientHouse } from '../clients/support.mjs';
import { DESKTOP, Jar, attribute, location } from '../support/jar.mjs';
import { binary, freePort, run } from '../support/processes.mjs';
import { until } from '../support/wait.mjs';

/** Dependencies may have to be fetched first. */
const START = 240_000;
const LONG = { timeout: 60_000 };

/**
 * What every example promises.
 *
 * @param {object} example
 * @param {string} example.name its folder
 * @param {string} example.start the command its README gives
 * @param {Record<string, () => unknown>} example.needs what must be there, and a probe that throws when it is not
 * @param {string} [example.login] where signing in begins
 * @param {(site: Site) => Promise<Response>} [example.logOut] presses what signs out
 * @param {Record<string, string>} [example.environment]
 */
export function holds(example) {
  const skip = missing(example);
  if (skip) {
    test(`examples/${example.name}`, { skip }, () => {});
    return {};
  }
  const stage = {};
  before(async () => {
    stage.house = await startClientHouse();
    stage.site = await startExample(stage.house.server, example);
  }, { timeout: START + 60_000 });
  after(async () => {
    await stage.site?.stop();
    await stage.house?.stop();
  });
  const visitor = () => new Site(stage.house, stage.site.url, example);
  signsInAndOut(example, visitor, stage);
  refusesForgeries(example, visitor);
  return { stage, visitor };
}

function signsInAndOut({ name }, visitor, stage) {
  test(`examples/${name}: signs in, says who it is, signs out everywhere`, LONG, async () => {
    const site = visitor();
    const home = await site.signIn('xiaoming');
    assert.match(home, /小明/);
    const copied = new Map(site.jar.cookies);
    assert.ok(home.includes(await subjectOf(stage.house.server, '小明')), 'the page names the sub');
    assert.match(await stage.house.leave(await visitor().begin()), /[?&]code=/, 'the session at the server lasts');
    const left = await stage.house.leave(await location(await site.logOut()));
    assert.ok(left.startsWith(`${site.url}/`), `leads home: ${left}`);
    assert.doesNotMatch(await site.home(), /小明/);
    site.jar.cookies = copied;
    assert.doesNotMatch(await site.home(), /小明/, 'a copy of the cookies is worth nothing either');
    assert.match(await stage.house.leave(await visitor().begin()), /\/login\//, 'the session at the server is over');
  });
}

function refusesForgeries({ name }, visitor) {
  test(`examples/${name}: asks with PKCE, state and nonce, fresh ones each time`, LONG, async () => {
    const site = visitor();
    const [first, second] = [new URL(await site.begin()).searchParams, new URL(await site.begin()).searchParams];
    assert.equal(first.get('code_challenge_method'), 'S256');
    for (const part of ['code_challenge', 'state', 'nonce']) {
      assert.ok(first.get(part)?.length >= 20, `${part}: ${first.get(part)}`);
      assert.notEqual(first.get(part), second.get(part), part);
    }
  });

  test(`examples/${name}: an answer with another state signs nobody in`, LONG, async () => {
    const site = visitor();
    const back = new URL(await site.scan('xiaohong'));
    back.searchParams.set('state', back.searchParams.get('state').split('').reverse().join(''));
    await site.refuses(back.href);
  });

  test(`examples/${name}: an ID token that answers another request signs nobody in`, LONG, async () => {
    const site = visitor();
    const asked = new URL(await site.begin());
    asked.searchParams.set('nonce', 'the-nonce-of-another-request');
    await site.refuses(await site.house.scan(asked.href, 'xiaohong'));
  });

  test(`examples/${name}: somebody else's answer, opened in this browser, signs nobody in`, LONG, async () => {
    const back = await visitor().scan('xiaohong');
    const site = visitor();
    await site.refuses(back);
    await site.begin();
    await site.refuses(back);
  });

  test(`examples/${name}: an answer is good once`, LONG, async () => {
    const site = visitor();
    const back = await site.scan('ada');
    const before = new Map(site.jar.cookies);
    assert.match(await site.arrive(back), /Ada/);
    site.jar.cookies = before;
    await site.refuses(back);
  });

  test(`examples/${name}: a person who turns back is told so, and is not signed in`, LONG, async () => {
    const site = visitor();
    const asked = new URL(await site.begin()).searchParams;
    const back = new URL(asked.get('redirect_uri'));
    for (const [part, value] of Object.entries({ error: 'access_denied', state: asked.get('state'), iss: site.house.server.url })) {
      back.searchParams.set(part, value);
    }
    await site.refuses(back.href);
  });
}

/** What an example promises that keeps each sign-in under way by its own state. */
export function bearsTabs({ name }, { visitor }) {
  if (!visitor) return;
  test(`examples/${name}: two tabs of one browser do not disturb each other`, LONG, async () => {
    const site = visitor();
    const [first, second] = [await site.begin(), await site.begin()];
    const backs = [await site.house.scan(first, 'xiaoming'), await site.house.scan(second, 'xiaohong')];
    assert.match(await site.arrive(backs[0]), /小明/);
    assert.match(await site.arrive(backs[1]), /小红/, 'the second goes on when the first has signed in');
    const alone = visitor();
    for (let tab = 0; tab < 3; tab += 1) await alone.begin();
    assert.match(await alone.arrive(await alone.scan('ada')), /Ada/);
  });

  test(`examples/${name}: of very many sign-ins under way the oldest are forgotten`, LONG, async () => {
    const site = visitor();
    const back = await site.scan('xiaohong');
    for (let tab = 0; tab < 12; tab += 1) await site.begin();
    await site.refuses(back);
    assert.match(await site.arrive(await site.scan('ada')), /Ada/);
  });
}

/** What an example promises that compares the answer's issuer (RFC 9207). */
export function knowsItsIssuer({ name }, { visitor }) {
  if (!visitor) return;
  test(`examples/${name}: an answer of another issuer, or of none, signs nobody in, and says so before anything else`, LONG, async () => {
    for (const iss of ['https://evil.example', undefined]) {
      for (const error of [undefined, 'a-word-of-theirs']) {
        const site = visitor();
        const back = new URL(await site.scan('xiaohong'));
        back.searchParams.delete('iss');
        if (iss) back.searchParams.set('iss', iss);
        if (error) back.searchParams.set('error', error);
        assert.doesNotMatch(await (await site.jar.get(back.href)).text(), /a-word-of-theirs/);
        assert.doesNotMatch(await site.home(), /小红/);
      }
    }
  });
}

/** What an example promises that looks Mashang up when somebody comes, and not when it starts. Needs what `holds` installed. */
export function bearsAbsence(example, { visitor }) {
  if (!visitor) return;
  test(`examples/${example.name}: starts while Mashang is away, says so, signs out here, and finds it once it is back`, LONG, async (t) => {
    const mashang = createServer((_, response) => response.setHeader('content-type', 'application/json').end(JSON.stringify({
      issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`,
    })));
    const port = await freePort();
    const issuer = `http://127.0.0.1:${port}`;
    const start = example.start.split(' && ').at(-1);
    const site = await launch({ ...example, start }, { ISSUER: issuer, CLIENT_SECRET: 'unused', PORT: String(await freePort()) });
    t.after(() => site.stop());
    const ask = (path, method = 'GET') => fetch(site.url + path, { method, redirect: 'manual' });

    assert.equal((await ask('/')).status, 200);
    const answer = await ask('/login');
    assert.ok([400, 502].includes(answer.status), `${answer.status}`);
    assert.match(await answer.text(), /no answer from|does not answer/);
    assert.equal(await location(await ask('/logout', 'POST')), `${site.url}/`);

    await once(mashang.listen(port, '127.0.0.1'), 'listening');
    t.after(() => mashang.close());
    assert.ok((await location(await ask('/login'))).startsWith(`${issuer}/authorize?`));
  });
}

/** What an example promises that stands in front of a site which cannot be changed. */
export function guards({ name }, { visitor }) {
  if (!visitor) return;
  test(`examples/${name}: the site behind hears who it is from the proxy alone`, LONG, async () => {
    const site = visitor();
    await site.signIn('xiaohong');
    for (const header of ['X-Remote-User', 'X-Remote-Name', 'X_Remote_User', 'X_Remote_Name']) {
      const html = await (await site.jar.get(`${site.url}/`, { headers: { [header]: 'forged' } })).text();
      assert.match(html, /小红/);
      assert.doesNotMatch(html, /forged/);
    }
  });

  test(`examples/${name}: without a sign-in nothing reaches the site behind; a page is sent away, a script is told`, LONG, async () => {
    const { url, house } = visitor();
    const headers = { 'X-Remote-User': 'forged' };
    const page = await new AddressBar().get(`${url}/anything`, { headers });
    assert.ok((await location(page)).startsWith(`${house.server.url}/authorize?`));
    assert.equal((await new Jar().get(`${url}/anything`, { headers })).status, 401);
    assert.equal((await new AddressBar().post(`${url}/anything`, {}, { headers })).status < 500, true);
  });

  test(`examples/${name}: the way back leads to the page that was wanted`, LONG, async () => {
    const site = visitor();
    const wanted = `${site.url}/reports?month=11&year=2026`;
    const back = await site.house.scan(await location(await site.jar.get(wanted)), 'ada');
    assert.equal(await location(await site.jar.get(back)), wanted);
  });
}

/**
 * A browser that says it is going to a page, as one does whose address bar is used. `fetch` always says it is a script.
 */
class AddressBar extends Jar {
  async ask(url, { method, headers, body }) {
    const form = body && { 'content-type': 'application/x-www-form-urlencoded' };
    const going = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    const asked = request(url, { method, headers: { ...headers, ...going, ...form } }).end(body?.toString());
    const [answer] = await once(asked, 'response');
    const told = new Response(await buffer(answer), { status: answer.statusCode, headers: pairs(answer.rawHeaders) });
    return Object.defineProperty(told, 'url', { value: url });
  }
}

function pairs(raw) {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[2 * index], raw[2 * index + 1]]);
}

/** The website of an example, in one browser. */
export class Site {
  constructor(house, url, { login = '/login', logOut = pressTheButton }) {
    Object.assign(this, { house, url, login, logOut: () => logOut(this) });
    this.jar = new AddressBar({ 'user-agent': DESKTOP });
  }

  /** Begins to sign in; returns where the browser is sent. */
  async begin() {
    return location(await this.jar.get(this.url + this.login));
  }

  /** Begins, and `person` approves; returns the address that leads back. */
  async scan(person) {
    return this.house.scan(await this.begin(), person);
  }

  /** Follows redirects inside the site; returns the page it comes to. */
  async arrive(back) {
    let answer = await this.jar.get(back);
    while (answer.headers.has('location') && (await location(answer)).startsWith(this.url)) {
      answer = await this.jar.get(await location(answer));
    }
    return answer.text();
  }

  async signIn(person) {
    return this.arrive(await this.scan(person));
  }

  async home() {
    return (await this.jar.get(`${this.url}/`)).text();
  }

  /** The site survives this answer, and knows nobody afterwards. */
  async refuses(back) {
    const answer = await this.jar.get(back);
    assert.ok(answer.status < 500, `${answer.status}: ${await answer.clone().text()}`);
    assert.doesNotMatch(await answer.text(), /小红|小明|Ada/);
    assert.doesNotMatch(await this.home(), /小红|小明|Ada/);
  }
}

/** The form with which every example of ours signs out. */
async function pressTheButton(site) {
  const html = await site.home();
  const action = attribute(html, /<form[^>]* action="([^"]+)"/);
  const hidden = [...html.matchAll(/<input[^>]* type="hidden"[^>]*>/g)].map(([input]) =>
    [attribute(input, / name="([^"]+)"/), attribute(input, / value="([^"]+)"/)]);
  return site.jar.post(new URL(action, site.url).href, Object.fromEntries(hidden));
}

/** What is not there, as a sentence; or nothing. */
function missing({ name, needs }) {
  const lacking = Object.keys(needs).filter((what) => {
    try {
      needs[what]();
      return false;
    } catch {
      return true;
    }
  });
  return lacking.length ? `examples/${name} was not tried, as this machine has no ${lacking.join(' and no ')}` : undefined;
}

/** A probe: the command runs and succeeds. */
export const runs = (command, ...args) => () => execFileSync(command, args, { stdio: 'ignore' });

async function startExample(server, example) {
  const { name, start } = example;
  const readme = readFileSync(`${folderOf(name)}README.md`, 'utf8');
  assert.ok(readme.includes(`\n${start}\n`), `the README of ${name} gives the command: ${start}`);
  const port = await freePort();
  const secret = await register(server, readme, port);
  return launch(example, { ISSUER: server.url, CLIENT_SECRET: secret, PORT: String(port) });
}

const folderOf = (name) => fileURLToPath(new URL(`../../examples/${name}/`, import.meta.url));

/** Runs the command of an example until it answers. */
export async function launch({ name, start, environment = {} }, values) {
  const url = `http://127.0.0.1:${values.PORT}`;
  const child = spawn('sh', ['-c', start], {
    cwd: folderOf(name),
    detached: true, // a group of its own, since commands start commands
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CLIENT_ID: 'my-site', ...values, ...environment },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { said += text; });
  const ended = once(child, 'exit');
  const answers = async () => {
    if (child.exitCode !== null) throw new Error(`examples/${name} ended before it answered:\n${said}`);
    return fetch(url, { redirect: 'manual' }).then(() => true, () => false);
  };
  const stop = async () => {
    try {
      process.kill(-child.pid, 'SIGTERM');
    } catch { /* it has ended by itself */ }
    await ended;
  };
  await until(`examples/${name} answers`, answers, START).catch(async (error) => {
    await stop();
    throw new Error(`${error.message}\n${said}`, { cause: error });
  });
  return { url, stop };
}

/** Runs the README's `mashang client add`, for this server and port; returns the secret. */
async function register(server, readme, port) {
  const line = /^mashang (client add (?:.*\\\n)*.*)$/m.exec(readme)?.[1];
  assert.ok(line, 'the README says how to register the example');
  const here = line.replaceAll(':3000', `:${port}`).replace('mashang.toml', server.config);
  const { stdout } = await promisify(execFile)('sh', ['-c', `"$0" ${here}`, binary()]);
  return /client_secret: (\S+)\n/.exec(stdout)[1];
}

async function subjectOf(server, name) {
  const list = await run(['user', 'list', '--search', name, '--config', server.config]);
  const line = list.split('\n').find((text) => text.includes(name));
  return /[\w-]{16,}/.exec(line)[0];
}
