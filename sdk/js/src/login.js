/**
 * One attempt to log in, without a screen: what a panel shows is `view`, and each change of it is told.
 *
 *   start ──► waiting ──► scanned ──► approved ──► redeem ──► success
 *     ▲          │           │
 *     │          └─ expired ─┴─ denied, wrong number          (failure: told when the person gives up, or time is over)
 *     └── renew: by itself while somebody looks ──┘
 *
 * The browser secret lives here and goes nowhere but to the issuer. A way to sign in that needs the issuer's own page is
 * opened in a window; its answer counts from that window, that origin, and with our state.
 */
import { failure, isFailure, isPassing, refusal } from './failure.js';
import { prepare } from './pkce.js';
import { backoff, pause, request } from './request.js';
import { isOpen, watch } from './watch.js';
import { language, wordsOf } from './words.js';

/**
 * @typedef {import('./failure.js').LoginFailure} LoginFailure
 * @typedef {import('./failure.js').Reason} Reason
 * @typedef {{state: string, nonce: string, codeChallenge: string, codeVerifier?: string}} Proof
 *
 * @typedef {object} LoginOptions
 * @property {string} issuer where Mashang is, such as `https://login.example.com`
 * @property {string} clientId
 * @property {string} [redirectUri] registered, of this page's origin; may be left out if there is only one
 * @property {string} [scope] else `openid profile`
 * @property {string} [state] else random
 * @property {string} [nonce] else random
 * @property {string} [codeChallenge] S256, of a verifier that the back end keeps; else made here
 * @property {string} [provider] the channel to begin with
 * @property {string} [lang] `zh-CN` or `en`
 * @property {number} [timeout] of all, in ms; else none
 * @property {boolean} [retry] `false`: the first refusal ends it, instead of offering a fresh code
 *
 * @typedef {object} LoginResult for the back end
 * @property {string} code one use
 * @property {string} state
 * @property {string} [codeVerifier] unless the back end keeps its own
 * @property {string} nonce to be compared with the id token's
 * @property {string} redirectUri to be repeated in the token request
 * @property {string} issuer
 *
 * @typedef {'idle'|'loading'|'waiting'|'scanned'|'approved'|'denied'|'expired'|'cancelled'|'error'} LoginStatus
 * @typedef {{id: string, label: string, kind: string, platform: string, scan_hint: string, how: 'qr'|'window'}} Channel
 * @typedef {{status: string, events: string, socket?: string, refresh: string, redeem: string, cancel: string}} Urls
 * @typedef {{scan_code: string, scan_url: string|null, qr_svg: string|null, picture: string|null, number: string,
 *   status: string, version: number, seconds_left: number}} Ticket
 * @typedef {{mode: string, ticket: Ticket, urls: Urls, trouble: null|{heading: string, text: string, remedy?: string},
 *   continue_href: string|null, sandbox_phone_href: string|null}} Face
 *
 * @typedef {object} View
 * @property {LoginStatus} status
 * @property {LoginFailure | null} failure of `error`, `denied`, `expired`, `cancelled`
 * @property {boolean} over it has failed for good; `refresh` and `start` begin again
 * @property {number} secondsLeft of this stage
 * @property {{name: string, host: string, logo_uri: string|null, brand_color: string|null} | null} site
 * @property {string} device `desktop`, `phone` or `inside` an app
 * @property {Channel[]} channels
 * @property {Channel | null} channel the open tab
 * @property {Face | null} face what to show of it, unless it needs a window
 *
 * @typedef {object} Listener
 * @property {(view: View) => void} [change]
 * @property {(result: LoginResult) => void} [success]
 * @property {(failed: LoginFailure) => void} [failure] it is over
 */

/** @param {LoginOptions} options */
export function addressOf({ issuer, clientId }) {
  if (!clientId || !/^https?:\/\/[^?#]+$/.test(issuer)) throw failure('invalid_request', 'issuer or clientId');
  return issuer.replace(/\/+$/, '');
}

/**
 * What is asked for, in a panel and at the issuer's own page.
 * @param {LoginOptions} options @param {Proof} proof
 */
const asking = ({ clientId, scope, lang }, { state, nonce, codeChallenge }) => ({
  client_id: clientId, scope: scope || 'openid profile', state, nonce, ui_locales: lang, code_challenge: codeChallenge,
  code_challenge_method: 'S256',
});

/**
 * The address of the issuer's own page.
 * @param {LoginOptions} options @param {Proof} proof @param {Record<string, string|undefined>} more
 */
export function authorizeUrl(options, proof, more) {
  const query = JSON.stringify({ ...asking(options, proof), response_type: 'code', ...more });
  return `${addressOf(options)}/authorize?${new URLSearchParams(JSON.parse(query))}`; // without what is undefined
}

/**
 * Nothing happens before `start`.
 *
 * @typedef {object} Login
 * @property {View} view
 * @property {() => Promise<void>} start begins, or begins again
 * @property {() => void} stop leaves nothing running, and tells nobody but the server: the code is dead, on the phone too
 * @property {(reason?: Reason) => void} cancel the person (or time) gives up: the code is dead
 * @property {() => void} refresh a fresh code, because somebody asked
 * @property {(id: string) => void} choose another tab; the one that is left asks nothing any more
 * @property {() => boolean} openWindow to be called in a click; `false` if the browser forbids it, or while it loads
 *
 * @param {LoginOptions} options @param {Listener} [listener] @returns {Login}
 */
export function createLogin(options, listener = {}) {
  /** @type {View} */
  let view = {
    status: 'idle', failure: null, over: false, secondsLeft: 0, site: null, device: 'desktop', channels: [], channel: null,
    face: null,
  };
  let over = true;
  let ears = new AbortController(); // from start to stop
  let life = new AbortController(); // of the present step
  /** @type {Record<string, string>} */
  let headers = {}; // with the secret
  /** @type {any} of the type Proof */
  let proof;
  let redirectUri = '';
  let issuer = '';
  let refreshUrl = '';
  let cancelUrl = ''; // of a code that a phone may still confirm
  let redeemUrl = ''; // of an approval that is not collected yet
  let deadline = 0; // of this stage, on performance.now()
  let asked = 0; // when the server was asked after it
  let renewals = 0;
  /** @type {Window | null} */
  let popup = null;
  /** @type {import('./watch.js').Watcher} */
  let watcher;
  /** @type {any} */
  let clock;
  /** @type {any} */
  let limit;
  const login = { view, start, stop, cancel, refresh, choose, openWindow };
  return login;

  // ---- what others may do ----

  function start() {
    return run(null);
  }

  /** @param {Channel | null} [channel] as in `begin` */
  function run(channel) {
    stop();
    over = false;
    renewals = 0;
    proof = null;
    redirectUri = '';
    clock = setInterval(tick, 1000);
    if (options.timeout) limit = setTimeout(cancel, options.timeout, 'timeout');
    ears = new AbortController();
    document.addEventListener('visibilitychange', resume, ears);
    addEventListener('online', resume, ears);
    addEventListener('message', receive, ears);
    return begin(channel);
  }

  function stop() {
    abandon();
    halt();
  }

  function halt() {
    over = true;
    life.abort();
    ears.abort();
    clearInterval(clock);
    clearTimeout(limit);
    closeWindow();
  }

  /** @param {Reason} [reason] */
  function cancel(reason) {
    if (over) return;
    abandon();
    const failed = reason ? failure(reason) : view.failure || failure('cancelled');
    end({ failure: failed, status: reason ? 'expired' : view.failure ? view.status : 'cancelled', over: true }, listener.failure, failed);
  }

  function refresh() {
    if (over) run();
    else if (!redeemUrl) renew(true);
    else if (view.failure) redeem(redeemUrl);
  }

  /** @param {string} id */
  function choose(id) {
    const channel = view.channels.find((each) => each.id === id);
    if (!channel || over || view.status === 'approved') return;
    step();
    closeWindow();
    if (channel.how !== 'qr') abandon(); // else the fresh code ends the old one
    set({ status: 'waiting', channel, face: null });
    if (channel.how === 'qr') renew(true);
  }

  function openWindow() {
    const { channel } = view;
    if (over || !channel || !redirectUri) return false; // not begun
    if (popup && !popup.closed) popup.focus();
    else {
      popup = open(authorizeUrl(options, proof, {
        redirect_uri: redirectUri, response_mode: 'web_message', login_hint: channel.id,
      }), '_blank', 'width=520,height=760');
    }
    return Boolean(popup);
  }

  // ---- what happens ----

  /** A failure is of the present state: what does not name one has none. @param {Partial<View>} news */
  function set(news) {
    if (over) return; // a listener stopped it
    view = login.view = { ...view, failure: null, over: false, ...news };
    tell(listener.change, view);
  }

  /** A mistake of the page is the page's to see, and disturbs nothing here. @template T @param {((news: T) => void) | undefined} listen @param {T} news */
  function tell(listen, news) {
    try {
      if (listen) listen(news);
    } catch (error) {
      Promise.reject(error); // as unhandled, where those are reported
    }
  }

  /**
   * Success or failure, unless a listener that hears of the last state stops it, or begins another.
   * @template T @param {Partial<View>} last @param {((news: T) => void) | undefined} listen @param {T} news
   */
  function end(last, listen, news) {
    const mine = ears;
    set(last);
    if (over || ears !== mine) return;
    halt();
    tell(listen, news);
  }

  /** Something else than success: offered again if that may help. @param {unknown} error @param {LoginStatus} [status] */
  function fail(error, status = 'error') {
    const failed = isFailure(error) ? error : failure('network');
    const ends = options.retry === false || !isPassing(failed);
    const news = { status, failure: failed, over: ends };
    if (ends) end(news, listener.failure, failed);
    else set(news);
  }

  /** Ends the present step, and gives the signal of the next. */
  function step() {
    life.abort();
    life = new AbortController();
    return life.signal;
  }

  function closeWindow() {
    if (popup) popup.close();
    popup = null;
  }

  /** Nobody waits for this code any more: no phone shall hear that it signed somebody in. It may be the page's last word. */
  function abandon() {
    if (cancelUrl) {
      request(cancelUrl, { method: 'POST', headers, keepalive: true }).catch(() => {});
      refreshUrl = ''; // the whole login is over at the server
    }
    cancelUrl = '';
  }

  /** @param {string} url @param {object} [body] @param {AbortSignal} [signal] */
  function send(url, body, signal) {
    return request(url, { method: 'POST', body, signal, headers });
  }

  /**
   * A step's one request, sent again while the network or the server fails.
   *
   * @param {AbortSignal} signal of the step, which a listener that hears of it may end
   * @param {number} times @param {string} url @param {object | undefined} body
   * @param {(answer: import('./request.js').Answer) => void} then throws what it cannot use
   * @param {(error: unknown) => void} [otherwise]
   */
  async function insist(signal, times, url, body, then, otherwise = fail) {
    for (let failures = 1; !signal.aborted; failures += 1) {
      let wait = 0;
      try {
        const answer = await send(url, body, signal);
        if (signal.aborted) return;
        if (failures === times || (answer.status < 500 && answer.status !== 429)) return then(answer);
        wait = answer.wait;
      } catch (error) {
        if (signal.aborted) return;
        if (isFailure(error)) return fail(error);
        if (failures === times) return otherwise(error);
      }
      await pause(wait || backoff(failures), signal);
    }
  }

  /** @param {Channel | null} [channel] else the open tab's; `null` for the one of the options */
  async function begin(channel = view.channel) {
    const signal = step();
    headers = {};
    refreshUrl = redeemUrl = cancelUrl = '';
    set({ status: 'loading', face: null, channel });
    try {
      const url = `${addressOf(options)}/api/browser/logins`;
      proof = proof || await prepare(options);
      const body = { ...asking(options, proof), redirect_uri: options.redirectUri, channel: channel ? channel.id : options.provider };
      await insist(signal, 2, url, body, (answer) => (channel && answer.status === 400 ? begin(null) : begun(answer)), diagnose);
    } catch (error) {
      fail(error);
    }
  }

  /** @param {import('./request.js').Answer} answer */
  function begun(answer) {
    if (!answer.ok) throw refusal(answer);
    const { body } = answer;
    ({ issuer, redirect_uri: redirectUri } = body);
    if (issuer.replace(/\/+$/, '') !== addressOf(options)) throw failure('mismatch', issuer);
    headers = { authorization: `Bearer ${body.secret}` };
    refreshUrl = `${addressOf(options)}/api/browser/logins/${body.grant}/${body.ticket}/refresh`;
    const { site, device, channels, face } = body;
    const channel = channels.find((/** @type {Channel} */ { id }) => id === body.channel);
    const news = { site, device, channels, channel };
    if (face && channel.how === 'qr') show(face, news);
    else set({ status: 'waiting', ...news });
  }

  /**
   * Nothing answers: the server lets no page of an unknown origin read its refusal, but tells everybody where its SDK is.
   * And Chrome lets a page reach a private address only where the person allows it.
   *
   * @param {any} error
   */
  async function diagnose(error) {
    const signal = step();
    const words = wordsOf(language(options.lang));
    const { ok } = await request(`${addressOf(options)}/sdk`, { signal, limit: 5000 }).catch(() => /** @type {any} */ ({}));
    if (ok) error = failure('not_allowed', `${words.origin}mashang client set ${options.clientId} --add-redirect-uri ${location.origin}/`);
    else {
      const name = /** @type {any} */ ('local-network-access');
      const { state } = await navigator.permissions.query({ name }).catch(() => error); // a name that most do not know
      if (state === 'denied') error = failure('network', words.local);
    }
    if (!signal.aborted) fail(error);
  }

  /** @param {Face} face @param {Partial<View>} [news] */
  function show(face, news) {
    const signal = step();
    refreshUrl = face.urls.refresh;
    cancelUrl = face.urls.cancel;
    redeemUrl = '';
    set({ status: 'waiting', ...news, face });
    if (signal.aborted) return; // by a listener
    if (!isOpen(face.ticket.status)) return hear(face.ticket); // approved, in the moment when another code was asked for
    if (face.trouble) return; // the platform gave no code; another tab, or asking again, may help
    watcher = watch({
      urls: face.urls, headers, seen: face.ticket.version, onNews: hear, onGone: () => hear({}),
    });
    signal.addEventListener('abort', watcher.stop);
    hear(face.ticket);
  }

  /** @param {any} news of the type News, or only its status */
  function hear({ status, reason, seconds_left }) {
    deadline = performance.now() + 1000 * seconds_left;
    if (isOpen(status)) return set({ status: /** @type {LoginStatus} */ (status), secondsLeft: seconds_left });
    cancelUrl = '';
    if (status === 'approved' && view.face) redeem(view.face.urls.redeem);
    else if (status === 'denied' || status === 'wrong_number') fail(failure(reason === 'wrong_number' ? reason : status), 'denied');
    else {
      fail(failure('expired'), 'expired');
      renew();
    }
  }

  /** Collects the approval, once. @param {string} url */
  function redeem(url) {
    const signal = step();
    redeemUrl = url;
    set({ status: 'approved' });
    insist(signal, 5, url, undefined, (answer) => {
      if (answer.ok) return deliver(answer.body);
      if (answer.status > 499) throw refusal(answer);
      redeemUrl = '';
      if (answer.status === 403) throw refusal(answer);
      const { status } = answer.body;
      if (view.face && isOpen(status)) show(view.face);
      else hear(status === 'denied' ? answer.body : {});
    });
  }

  /** An answer with a code. @param {{code: string, state: string, iss?: string}} answer */
  function deliver(answer) {
    const { codeChallenge, ...kept } = proof; // the challenge has served
    if (answer.state !== kept.state || (answer.iss || issuer) !== issuer) return fail(failure('mismatch'));
    end({ status: 'approved' }, listener.success, { code: answer.code, ...kept, redirectUri, issuer });
  }

  /** A fresh ticket: by itself while somebody looks, else when asked for. @param {boolean} [wanted] */
  function renew(wanted) {
    const { channel } = view;
    if (over || (!wanted && (document.hidden || renewals > 19))) return; // twenty times nobody scanned
    renewals = wanted ? 0 : renewals + 1;
    if (!refreshUrl || !channel || channel.how !== 'qr') begin();
    else {
      insist(step(), 5, refreshUrl, { channel: channel.id }, (answer) => {
        if (answer.ok) show(answer.body);
        else if (answer.status === 404 || answer.status === 410) begin(); // too old, or a restart
        else if (answer.status === 400) { // the channel has another name now, or is gone
          abandon();
          begin(null);
        } else throw refusal(answer);
      });
    }
  }

  // ---- clock, person, window ----

  function tick() {
    const { status, face } = view;
    if (!isOpen(status) || !face || face.trouble) return;
    const now = performance.now();
    const secondsLeft = Math.max(0, Math.ceil((deadline - now) / 1000));
    if (secondsLeft !== view.secondsLeft) set({ secondsLeft });
    if (secondsLeft || document.hidden || now < asked + 3000) return;
    asked = now; // the server decides
    watcher.check();
  }

  /** Back from another tab, app or sleep; the watcher sees to an open ticket. */
  function resume() {
    if (document.hidden) return;
    if (view.status === 'expired') renew();
    else if (view.failure && (redeemUrl || view.failure.reason === 'network')) refresh();
  }

  /** The window's answer, and nobody else's. @param {MessageEvent} event */
  function receive({ origin, source, data }) {
    if (!popup || source !== popup || origin !== new URL(addressOf(options)).origin) return;
    const answer = data && data.type === 'authorization_response' && data.response;
    if (!answer || answer.state !== proof.state) return;
    const { code, error, error_description: text } = answer;
    popup = null;
    if (code) deliver(answer);
    else if (error === 'access_denied') fail(failure('denied', text), 'denied');
    else fail(failure('server', text || error));
  }
}
