/**
 * One login on the phone's side: scan, tell, answer. Knows nothing of `wx`; how to post is handed in.
 *
 *   const login = new Login(post, channel, scanCode);
 *   await login.scan(code)  →  { purpose, site, host, device, address, at, number_digits }, and `login.endsAt`
 *   await login.approve('42')  →  'approved' | 'wrong_number'
 *
 * Everything that goes wrong is a `LoginError` whose `name` has a sentence in `words.js`.
 */

/** What this mini-program knows how to ask: to sign in, or to be added to the account named in `login.account`. */
const PURPOSES = ['sign_in', 'link'];

class LoginError extends Error {
  /** @param {string} name  an error name of the phone API, or `network`, `unknown_purpose`, `unexpected` */
  constructor(name) {
    super(name);
    this.name = name;
  }
}

class Login {
  /**
   * @param {(path: string, body: object) => Promise<{status: number, body: any}>} post  rejects when there is no answer
   * @param {string} channel
   * @param {string} scanCode
   * @param {() => number} now  milliseconds
   */
  constructor(post, channel, scanCode, now = Date.now) {
    this.post = post;
    this.base = `/api/phone/${encodeURIComponent(channel)}/${encodeURIComponent(scanCode)}`;
    this.scanCode = scanCode;
    this.now = now;
    /** Names this phone in this login. Memory only: never stored, never shown. */
    this.phoneToken = null;
    /** When the answer must have come, in milliseconds. */
    this.endsAt = 0;
  }

  /** Proves who holds the phone by a fresh `wx.login` code; returns what to tell the person. */
  async scan(code) {
    const told = await this.call('scan', { code });
    if (typeof told.phone_token !== 'string') throw new LoginError('unexpected');
    this.phoneToken = told.phone_token;
    return this.noted(told);
  }

  /** The same again, for a page that comes back to the front. */
  async context() {
    return this.noted(await this.call('context', { phone_token: this.phoneToken }));
  }

  /** The person's yes, with the number as typed. A wrong one ends the login. */
  async approve(number) {
    const { status } = await this.call('approve', { phone_token: this.phoneToken, number });
    if (status !== 'approved' && status !== 'wrong_number') throw new LoginError('unexpected');
    return status;
  }

  /** The person's no. It is final. */
  async deny() {
    const { status } = await this.call('deny', { phone_token: this.phoneToken });
    if (status !== 'denied') throw new LoginError('unexpected');
    return status;
  }

  /** Hands over the code of a `getPhoneNumber` button; the number itself never passes through here. */
  async sharePhoneNumber(code) {
    await this.call('phone-number', { phone_token: this.phoneToken, code });
  }

  noted({ login, expires_in: seconds }) {
    if (!login || typeof seconds !== 'number') throw new LoginError('unexpected');
    // Nobody may say yes to what cannot be told.
    if (PURPOSES.indexOf(login.purpose) < 0) throw new LoginError('unknown_purpose');
    this.endsAt = this.now() + seconds * 1000;
    return login;
  }

  async call(step, body) {
    let answer;
    try {
      answer = await this.post(`${this.base}/${step}`, body);
    } catch (_) {
      throw new LoginError('network');
    }
    const told = answer.body && typeof answer.body === 'object' ? answer.body : {};
    if (answer.status === 200) return told;
    throw new LoginError(typeof told.error === 'string' ? told.error : 'unexpected');
  }
}

module.exports = { Login, LoginError, PURPOSES };
