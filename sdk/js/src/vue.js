/** For Vue 3: `<ScanLogin>` around the element, and `useScanLogin()` for a face of your own. */
import { computed, defineComponent, h, onActivated, onDeactivated, onMounted, onUnmounted, shallowRef } from 'vue';

import './element.js';
import { createLogin } from './login.js';
import { language } from './words.js';

/**
 * @typedef {import('./login.js').LoginOptions} LoginOptions
 * @typedef {import('./login.js').LoginResult} LoginResult
 * @typedef {import('./failure.js').LoginFailure} LoginFailure
 *
 * @typedef {object} Wishes
 * @property {boolean} [immediate] `false`: not before `start()`
 * @property {(result: LoginResult) => void} [success]
 * @property {(failed: LoginFailure) => void} [fail] it is over
 */

/** In `setup`; stops with the component, and pauses while `<KeepAlive>` keeps it out of sight. @param {LoginOptions & Wishes} options */
export function useScanLogin(options) {
  const { immediate, success, fail } = options;
  const result = shallowRef(/** @type {LoginResult | null} */ (null));
  let runs = false;
  let away = false;
  const own = { ...options };
  const login = createLogin(own, {
    change: (news) => { view.value = news; },
    success: (given) => {
      runs = false;
      result.value = given;
      if (success) success(given);
    },
    failure: (failed) => {
      runs = false;
      if (fail) fail(failed);
    },
  });
  const view = shallowRef(login.view);
  const ticket = computed(() => view.value.face && view.value.face.ticket);
  const start = () => {
    Object.assign(own, options, { lang: language(options.lang) });
    runs = true;
    result.value = null;
    return login.start();
  };
  const stop = () => {
    runs = false;
    login.stop();
  };
  onMounted(() => { if (immediate !== false) start(); });
  onUnmounted(stop);
  onDeactivated(() => {
    away = true;
    login.stop();
  });
  onActivated(() => { if (away && runs) start(); }); // the first time is a mount as well
  return {
    /** All there is to show. */
    view,
    status: computed(() => view.value.status),
    failure: computed(() => view.value.failure),
    /** What the QR says; `null` where a platform draws its own. */
    qrUrl: computed(() => ticket.value && ticket.value.scan_url),
    /** The QR as SVG, drawn by the issuer. */
    qrSvg: computed(() => ticket.value && ticket.value.qr_svg),
    /** The platform's own code, a `data:` address. */
    picture: computed(() => ticket.value && ticket.value.picture),
    /** Two digits to type on the phone. */
    number: computed(() => (ticket.value && ticket.value.number) || ''),
    secondsLeft: computed(() => view.value.secondsLeft),
    channels: computed(() => view.value.channels),
    channel: computed(() => view.value.channel),
    result,
    start,
    stop,
    refresh: () => (runs ? login.refresh() : start()),
    cancel: () => login.cancel(),
    choose: login.choose,
    openWindow: login.openWindow,
  };
}

/** The panel. Slots and `--mashang-…` variables are those of `<scan-login>`. */
export const ScanLogin = defineComponent({
  name: 'ScanLogin',
  props: {
    issuer: { type: String, required: true },
    clientId: { type: String, required: true },
    redirectUri: String,
    scope: String,
    state: String,
    nonce: String,
    codeChallenge: String,
    provider: String,
    lang: String,
    theme: String,
    timeout: [Number, String],
    /** Asks nothing while it is true: behind another tab, for example. */
    paused: Boolean,
  },
  emits: {
    /** @param {LoginResult} _result */
    success: (_result) => true,
    /** @param {LoginFailure} _failed */
    fail: (_failed) => true,
    scanned: () => true,
    approved: () => true,
    /** @param {LoginFailure} _failed */
    expired: (_failed) => true,
    /** @param {LoginFailure} _failed */
    denied: (_failed) => true,
    /** @param {LoginFailure} _failed */
    error: (_failed) => true,
    /** @param {LoginFailure} _failed */
    cancel: (_failed) => true,
  },
  setup(props, { emit, slots }) {
    /** @param {CustomEvent} event */
    const pass = ({ type, detail }) => /** @type {(name: string, detail: unknown) => void} */ (emit)(type, detail);
    return () => h('scan-login', {
      issuer: props.issuer,
      'client-id': props.clientId,
      'redirect-uri': props.redirectUri,
      scope: props.scope,
      state: props.state,
      nonce: props.nonce,
      'code-challenge': props.codeChallenge,
      provider: props.provider,
      lang: props.lang,
      theme: props.theme,
      timeout: props.timeout,
      paused: props.paused ? '' : null,
      onSuccess: pass,
      onFail: pass,
      onScanned: pass,
      onApproved: pass,
      onExpired: pass,
      onDenied: pass,
      onError: pass,
      onCancel: pass,
    }, Object.keys(slots).map((name) => h('div', { slot: name }, /** @type {() => any} */ (slots[name])())));
  },
});
