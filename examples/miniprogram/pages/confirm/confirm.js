/**
 * The confirm page: who asks, from where, and yes or no.
 *
 * `onLoad` has the query of a cold start. When the mini-program is already running, a further scan may bring only
 * `onShow`, so both look at what was opened, and begin anew only for another code.
 */

const config = require('../../config');
const { Login } = require('../../lib/login');
const { scanCodeOf, cameWithoutCamera } = require('../../lib/scene');
const { wordsFor } = require('../../lib/words');
const wechat = require('../../lib/wechat');

/** Errors after which nobody can say yes to this login any more. */
const OVER = ['unknown_login', 'finished', 'unauthorized'];

Page({
  data: {
    /** `asking`, `confirm`, `done` or `failed`. */
    step: 'asking',
    t: wordsFor('zh_CN'),
    login: {},
    /** Heading, button, warning and outcome for what is asked. */
    ask: {},
    digits: 0,
    number: '',
    withoutCamera: false,
    /** Whether an answer is under way: no second one meanwhile. */
    busy: false,
    canApprove: false,
    askPhoneNumber: config.askPhoneNumber,
    phoneShared: false,
    phoneFailed: false,
    /** Why nothing came of the last answer, while it can be given again. */
    again: '',
    message: '',
  },

  onLoad(query) {
    this.language = wechat.language();
    this.setData({ t: wordsFor(this.language) });
    return this.begin(query, wx.getEnterOptionsSync().scene);
  },

  /** Back at the front: by a further scan, or from another chat. */
  onShow() {
    const opened = wx.getEnterOptionsSync();
    const code = scanCodeOf(opened.query);
    if (code && code !== this.scanCode) return this.begin(opened.query, opened.scene);
    if (this.data.step === 'confirm' && !this.data.busy) return this.lookAgain(this.login);
    return undefined;
  },

  onUnload() {
    clearTimeout(this.timer);
    this.login = null;
  },

  async begin(query, launchScene) {
    const scanCode = scanCodeOf(query);
    this.scanCode = scanCode;
    clearTimeout(this.timer);
    this.login = null;
    if (!scanCode) return this.fail('no_code');
    this.setData({ step: 'asking', number: '', busy: false, canApprove: false, phoneShared: false, phoneFailed: false, again: '', message: '' });
    const login = new Login(wechat.poster(config.baseUrl, this.language), config.channel, scanCode);
    this.login = login;
    return this.during(login, async () => {
      const told = await login.scan(await codeOrRefused());
      if (login === this.login) this.ask(told, cameWithoutCamera(launchScene));
    });
  },

  /** Shows what the server told about the request. */
  ask(told, withoutCamera) {
    this.setData({
      step: 'confirm',
      login: {
        account: told.account || '',
        site: told.site,
        host: told.host,
        device: told.device,
        address: told.address,
        at: localTime(told.at),
      },
      ask: this.data.t.ask[told.purpose],
      digits: told.number_digits,
      canApprove: this.data.number.length === told.number_digits,
      again: '',
      withoutCamera,
    });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fail('unknown_login'), Math.max(0, this.login.endsAt - Date.now()));
  },

  async lookAgain(login) {
    return this.during(login, async () => {
      const told = await login.context();
      if (login === this.login && this.data.step === 'confirm') this.ask(told, this.data.withoutCamera);
    });
  },

  onNumber(event) {
    const number = event.detail.value;
    this.setData({ number, canApprove: number.length === this.data.digits });
  },

  onApprove() {
    return this.answer((login) => login.approve(this.data.number));
  },

  onDeny() {
    return this.answer((login) => login.deny());
  },

  async answer(send) {
    if (this.data.busy || this.data.step !== 'confirm') return undefined;
    this.setData({ busy: true, again: '' });
    const login = this.login;
    await this.during(login, async () => {
      const outcome = await send(login);
      if (login !== this.login) return;
      clearTimeout(this.timer);
      this.setData({ step: 'done', message: outcome === 'approved' ? this.data.ask.approved : this.data.t.done[outcome] });
    });
    if (login === this.login) this.setData({ busy: false });
    return undefined;
  },

  /**
   * The person pressed the phone-number button; without a code they refused, which is fine, or WeChat did, which they are
   * told. A number that did not arrive is no harm either: the login can be approved without it.
   */
  async onPhoneNumber(event) {
    const { code, errno, errMsg } = event.detail;
    if (this.data.busy) return undefined;
    if (!code) {
      if (errno && !/user (deny|cancel)/.test(errMsg)) this.setData({ phoneFailed: true });
      return undefined;
    }
    const login = this.login;
    this.setData({ busy: true, phoneFailed: false });
    return this.during(login, async () => {
      const phoneShared = await shared(login, code);
      if (login === this.login) this.setData({ busy: false, phoneShared, phoneFailed: !phoneShared });
    });
  },

  /**
   * Runs one step of `login`; what goes wrong is shown, unless it is done or another code has been scanned meanwhile. What
   * says nothing about the login, such as a lost network, does not end it: the token and the buttons still count.
   */
  async during(login, step) {
    try {
      await step();
    } catch (error) {
      if (login !== this.login || this.data.step === 'done') return;
      const { again } = this.data.t;
      if (this.data.step === 'confirm' && has(again, error.name)) this.setData({ again: again[error.name] });
      else this.fail(error.name);
    }
  },

  fail(name) {
    clearTimeout(this.timer);
    // Most failures say "scan again", and that may be the same code: it counts as new. Not so once this phone has scanned
    // it: the server would take it for another phone's.
    if (!this.login || !this.login.phoneToken) this.scanCode = null;
    const { errors } = this.data.t;
    this.setData({ step: 'failed', busy: false, message: errors[has(errors, name) ? name : 'unexpected'] });
  },
});

function has(words, name) {
  return Object.prototype.hasOwnProperty.call(words, name);
}

/** WeChat gives no code when it is offline or the account is blocked. */
async function codeOrRefused() {
  try {
    return await wechat.loginCode();
  } catch (_) {
    const refused = new Error('wx.login');
    refused.name = 'code_refused';
    throw refused;
  }
}

/** Whether the number was passed on. Fails only where the login itself is over. */
async function shared(login, code) {
  try {
    await login.sharePhoneNumber(code);
    return true;
  } catch (error) {
    if (OVER.includes(error.name)) throw error;
    return false;
  }
}

/** `2026-11-22T11:00:00Z` as the phone's clock would show it. */
function localTime(text) {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const two = (number) => String(number).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
