/** The pretend WeChat from outside: its script API, and a phone without a screen. */

import { Jar, WECHAT_PHONE, attribute, location } from './jar.mjs';

export class WeChat {
  constructor(url) {
    this.url = url;
  }

  /** A call of `/sandbox/api`; a refusal is an error. */
  async call(path, body) {
    const answer = await fetch(`${this.url}/sandbox/api${path}`, body && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return JSON.parse(text);
  }

  async person(id) {
    return (await this.call('/people')).people.find((person) => person.id === id);
  }

  fault(fault, options = {}) {
    return this.call('/faults', { fault, ...options });
  }

  faultsOff() {
    return this.call('/faults', { on: false });
  }

  /** Someone's phone, in WeChat. */
  phone(person, headers = {}) {
    return new Phone(this, person, headers);
  }
}

/** A phone whose person reads and taps by program. */
class Phone {
  constructor(wechat, person, headers) {
    this.wechat = wechat;
    this.person = person;
    this.jar = new Jar({ 'user-agent': WECHAT_PHONE, ...headers });
  }

  /** Opens the link of a QR inside WeChat, and taps where our page says what WeChat will ask; returns the authorization address. */
  async open(scanUrl) {
    const opened = await this.jar.get(scanUrl);
    if (opened.status !== 200) return location(opened);
    const onward = attribute(await opened.text(), /<a [^>]*href="([^"]+)"[^>]* data-onward/);
    if (!onward) throw new Error(`no way on from ${opened.url}`);
    return location(await this.jar.get(new URL(onward, scanUrl)));
  }

  /** The address to which WeChat sends the person back. */
  async authorize(url, answer = 'allow') {
    return (await this.wechat.call('/authorize', { url, person: this.person, answer })).redirect;
  }

  /** Scans: afterwards the confirm page is open. Returns the answer of the callback's last redirect. */
  async scan(scanUrl) {
    const to = await this.open(scanUrl);
    // Whoever scanned before, and lost the page, is led to it without being asked by WeChat again.
    const isKnown = new URL(to).origin === new URL(scanUrl).origin;
    const confirm = isKnown ? to : await location(await this.jar.get(await this.authorize(to)));
    this.page = await this.jar.get(confirm);
    this.html = await this.page.text();
    return this.page;
  }

  /** Opens the link of the official account's message: afterwards the confirm page is open. */
  async arrive(link) {
    const html = await (await this.jar.get(link)).text();
    const action = attribute(html, /<form method="post" action="([^"]+)"[^>]* data-onward/);
    const confirm = await location(await this.jar.post(new URL(action, link)));
    this.page = await this.jar.get(confirm);
    this.html = await this.page.text();
    return this.page;
  }

  /** Presses a button of the confirm page; returns the outcome's name. */
  async press(button, number = '') {
    const action = attribute(this.html, new RegExp(`<form id="${button}"[^>]* action="([^"]+)"`));
    const token = attribute(this.html, /name="confirm_token" value="([^"]+)"/);
    if (!action || !token) throw new Error(`no confirm page: ${this.page.status} ${this.page.url}`);
    const answer = await this.jar.post(new URL(action, this.page.url), { confirm_token: token, number });
    return new URL(await location(answer)).searchParams.get('outcome');
  }

  approve(number) {
    return this.press('approve', number);
  }

  deny() {
    return this.press('deny');
  }
}
