/**
 * `<scan-login issuer client-id>`: the panel as an element of the page. It begins when it is on the page and not `paused`,
 * begins anew when an attribute gets another value (not `lang`: that changes the words), and leaves nothing running when it is taken away. Inside WeChat and WeCom, where
 * nobody scans the screen in their hand, it is a button that leaves the page, and it takes the code of whoever comes back
 * once the page has loaded.
 *
 * Events: `success` ({@link LoginResult} in `detail`), `fail` (failure: it is over), `change` ({@link View}), and per status
 * `scanned`, `approved`, `expired`, `denied`, `error`, `cancel`, with the failure in `detail` where there is one.
 *
 * @typedef {import('./login.js').LoginResult} LoginResult
 * @typedef {import('./login.js').View} View
 * @typedef {import('./failure.js').LoginFailure} LoginFailure
 */
import { createPanel, el } from './panel.js';
import { finishRedirect, isInside, redirectLogin } from './redirect.js';
import { dress } from './style.js';
import { language } from './words.js';

const ATTRIBUTES = ['issuer', 'client-id', 'redirect-uri', 'scope', 'state', 'nonce', 'code-challenge', 'provider', 'lang', 'timeout', 'paused'];
const TOLD = ['scanned', 'approved', 'expired', 'denied', 'error'];

/** Where there is no document (a server that renders) the class is still there to be imported. */
const Base = typeof HTMLElement === 'undefined' ? /** @type {typeof HTMLElement} */ (/** @type {unknown} */ (Object)) : HTMLElement;

export class ScanLoginElement extends Base {
  static get observedAttributes() {
    return ATTRIBUTES;
  }

  constructor() {
    super();
    /** @type {import('./panel.js').Panel | null} */
    this.panel = null;
    /** @type {HTMLElement | null} */
    this.inside = null;
    this.waits = false;
    this.anew = false;
    this.attachShadow({ mode: 'open' });
  }

  /** Frameworks write `paused="false"`, too. */
  get paused() {
    const text = this.getAttribute('paused');
    return text !== null && text !== 'false';
  }

  set paused(on) {
    if (on && String(on) !== 'false') this.setAttribute('paused', '');
    else this.removeAttribute('paused');
  }

  connectedCallback() {
    this.renew();
  }

  disconnectedCallback() {
    this.renew();
  }

  /** Those that hydrate a page set what is there already. @param {string} name @param {string | null} before @param {string | null} now */
  attributeChangedCallback(name, before, now) {
    if (before === now) return;
    if (name === 'lang' && this.panel) this.panel.speak(now);
    else this.renew(name !== 'paused');
  }

  /** Several attributes at once begin once; a move to another place changes nothing. @param {boolean} [anew] */
  renew(anew) {
    if (anew) this.anew = true;
    if (this.waits) return;
    this.waits = true;
    Promise.resolve().then(() => {
      const goesOn = this.isConnected && !this.paused;
      if (this.anew || !goesOn) this.stop();
      this.waits = this.anew = false;
      if (goesOn && !this.panel && !this.inside) this.start();
    });
  }

  start() {
    const root = /** @type {ShadowRoot} */ (this.shadowRoot);
    /** @param {string} name */
    const given = (name) => this.getAttribute(name) || undefined;
    let status = '';
    this.stop();
    const options = {
      issuer: given('issuer') || '',
      clientId: given('client-id') || '',
      redirectUri: given('redirect-uri'),
      scope: given('scope'),
      state: given('state'),
      nonce: this.nonce || given('nonce'), // a policy hides the attribute
      codeChallenge: given('code-challenge'),
      provider: given('provider'),
      lang: given('lang'),
      timeout: Number(given('timeout')) || undefined,
    };
    if (isInside()) return this.offer(root, options);
    this.panel = createPanel(root, options, {
      change: (view) => {
        this.tell('change', view);
        if (view.status !== status && TOLD.indexOf(view.status) >= 0) this.tell(view.status, view.failure);
        status = view.status;
      },
      success: (result) => this.tell('success', result),
      failure: (failed) => {
        if (failed.reason === 'cancelled') this.tell('cancel', failed);
        this.tell('fail', failed);
      },
    });
    this.panel.login.start();
  }

  /** The way by redirect, there and back. @param {ShadowRoot} root @param {import('./login.js').LoginOptions} options */
  offer(root, options) {
    /** @param {LoginFailure} failed */
    const fail = (failed) => {
      const { reason } = failed;
      this.tell(reason === 'denied' ? reason : reason === 'cancelled' ? 'cancel' : 'error', failed);
    };
    const lang = language(options.lang);
    const leave = () => { redirectLogin(options).catch(fail); };
    const button = el('button', { class: 'big', click: leave }, lang === 'en' ? 'Sign in' : '登录');
    const card = el('section', { class: 'card', part: 'panel', lang }, button);
    const take = () => {
      if (card.isConnected) finishRedirect().then((result) => { if (result) this.tell('success', result); }, fail);
    };
    dress(root);
    root.append(card);
    this.inside = card;
    // The page's own script may come after this one, and must be there to hear of it.
    if (document.readyState === 'complete') take();
    else addEventListener('load', () => setTimeout(take), { once: true });
  }

  /** Asks nothing any more, and shows nothing. */
  stop() {
    if (this.inside) this.inside.remove();
    this.inside = null;
    if (!this.panel) return;
    this.panel.login.stop();
    this.panel.card.remove();
    this.panel = null;
  }

  /** A fresh code. */
  refresh() {
    if (this.panel) this.panel.login.refresh();
  }

  /** Gives up: the code is dead. */
  cancel() {
    if (this.panel) this.panel.login.cancel();
  }

  /** @param {string} type @param {unknown} detail */
  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

if (typeof customElements !== 'undefined' && !customElements.get('scan-login')) customElements.define('scan-login', ScanLoginElement);
