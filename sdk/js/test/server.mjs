/** A stub of Mashang's Browser API, as its manual describes it; only for tests of the SDK's own rules. */

import { event } from './world.mjs';

export const ISSUER = 'https://login.example';
export const CHANNELS = [
  { id: 'wechat', label: '微信', kind: 'wechat-official', platform: 'wechat', scan_hint: 'Open WeChat', how: 'qr' },
  { id: 'wecom', label: '企业微信', kind: 'wecom', platform: 'wecom', scan_hint: 'Open WeCom', how: 'qr' },
  { id: 'password', label: 'Password', kind: 'password', platform: 'this_device', scan_hint: '', how: 'window' },
];

export class Server {
  constructor() {
    this.tickets = 0;
    this.streams = [];
    this.broken = false;
    this.refusals = [];
    this.channels = CHANNELS; // of the configuration
    this.answer = this.answer.bind(this);
  }

  /** The present ticket moves on. */
  move(status, more = {}) {
    this.status = status;
    this.version += 1;
    Object.assign(this, { reason: more.reason });
    if (this.stream) this.stream.send(event(this.news));
  }

  get news() {
    return { status: this.status, reason: this.reason, version: this.version, seconds_left: Math.max(0, 120 - (performance.now() - this.born) / 1000) };
  }

  face() {
    this.tickets += 1;
    this.born = performance.now();
    Object.assign(this, { status: 'waiting', version: 1, reason: undefined });
    const base = `${ISSUER}/api/browser/logins/g/t${this.tickets}`;
    const urls = {};
    for (const part of ['status', 'events', 'refresh', 'redeem', 'cancel']) urls[part] = `${base}/${part}`;
    return {
      mode: 'qr', trouble: null, continue_href: null, sandbox_phone_href: null, urls,
      ticket: { scan_code: `t${this.tickets}`, scan_url: `${ISSUER}/s/t${this.tickets}`, qr_svg: '<svg/>', picture: null, number: '42', ...this.news },
    };
  }

  answer({ method, url, body, headers }) {
    if (this.broken) return new TypeError('Failed to fetch');
    if (this.refusals.length) return this.refusals.shift();
    const [, , , , grant, ticket, part] = url.pathname.split('/');
    if (url.pathname === '/sdk') return { body: { version: '1' } };
    if (!grant) return this.begin(body);
    if (headers.authorization !== 'Bearer secret') return { status: 404, body: { error: 'unknown_login' } };
    if (part !== 'refresh' && ticket !== `t${this.tickets}`) return { status: 404, body: { error: 'unknown_login' } };
    if (part === 'events') {
      this.stream = { first: event(this.news) };
      return { stream: this.stream };
    }
    if (part === 'status') return { body: this.news };
    if (part === 'refresh') return this.knows(body.channel) ? { body: this.face() } : { status: 400, body: { error: 'invalid_request' } };
    if (part === 'cancel') return { status: 204 };
    if (method === 'POST' && this.status === 'approved') {
      return { body: { code: 'the-code', state: this.begun.state, iss: ISSUER, redirect_uri: 'https://site.example/cb' } };
    }
    return { status: 409, body: { error: 'not_approved', status: this.status } };
  }

  knows(channel) {
    return !channel || this.channels.some(({ id }) => id === channel);
  }

  begin(body) {
    if (!this.knows(body.channel)) return { status: 400, body: { error: 'invalid_request' } };
    this.begun = body;
    const channel = this.channels.find(({ id }) => id === body.channel) || this.channels[0];
    return {
      status: 201,
      body: {
        grant: 'g', ticket: `t${this.tickets + 1}`, secret: 'secret', redirect_uri: 'https://site.example/cb', issuer: ISSUER,
        site: { name: 'Site', host: 'site.example', logo_uri: null, brand_color: null }, device: 'desktop', channels: this.channels,
        channel: channel.id, face: channel.how === 'qr' ? this.face() : null,
      },
    };
  }
}
