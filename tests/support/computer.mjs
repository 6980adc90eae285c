/** A waiting browser without a screen: what the login page's script does, as requests one can count and look at. */

import { DESKTOP, Jar, attribute, location } from './jar.mjs';
import { until } from './wait.mjs';

/** At the website of `house`, on the way to the login page. */
export async function startComputer(house, query = '', jar = new Jar({ 'user-agent': DESKTOP })) {
  const authorize = await location(await jar.get(`${house.site.url}/login${query}`));
  const page = await location(await jar.get(authorize));
  const computer = new Computer(jar, authorize, page);
  await computer.look();
  return computer;
}

class Computer {
  constructor(jar, authorize, page) {
    this.jar = jar;
    this.authorize = authorize;
    this.page = page;
  }

  /** Loads the login page. */
  async look() {
    const answer = await this.jar.get(this.page);
    if (!answer.ok) throw new Error(`the login page answers ${answer.status}`);
    this.html = await answer.text();
    this.number = attribute(this.html, /data-text="number">([^<]+)</);
    const sandbox = attribute(this.html, /href="([^"]+)"[^>]* data-link="sandbox"/);
    this.scanUrl = sandbox && new URL(sandbox).searchParams.get('open');
  }

  /** The scan code of the ticket, as it is in every QR of it. */
  get scanCode() {
    return new URL(this.page).pathname.split('/').at(-1);
  }

  /** Leaves for a platform's page; returns its address. */
  async start(channel) {
    const [, , grant, ticket] = new URL(this.page).pathname.split('/');
    return location(await this.jar.get(`${new URL(this.page).origin}/channel/${channel}/start/${grant}/${ticket}`));
  }

  url(part) {
    return `${new URL(this.page).origin}${new URL(this.page).pathname}/${part}`;
  }

  async status() {
    return (await this.jar.get(this.url('status'), { headers: { accept: 'application/json' } })).json();
  }

  redeem() {
    return this.jar.post(this.url('redeem'), {}, { headers: { accept: 'application/json' } });
  }

  /** Collects the approval and follows it to the website; returns the claims it was told. */
  async finish() {
    await until('the approval', async () => (await this.status()).status === 'approved');
    const { redirect } = await (await this.redeem()).json();
    return this.arrive(redirect);
  }

  /** Brings a code to the website; returns the claims it was told. */
  async arrive(redirect) {
    const home = await location(await this.jar.get(redirect));
    const html = await (await this.jar.get(home)).text();
    return JSON.parse(attribute(html, /<pre id="claims">([^<]+)</));
  }
}
