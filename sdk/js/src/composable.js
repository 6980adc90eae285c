/** A login of the component's own life, for a face of your own. Brings no panel. */
import { computed, onActivated, onDeactivated, onMounted, onUnmounted, shallowRef } from 'vue';

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
  /** @type {Partial<LoginOptions>} */
  const latest = {}; // given to `start`
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
  /** Begins, or begins again, with other options if there are such: a fresh proof of the back end. @param {Partial<LoginOptions> | Event} [more] a click says nothing */
  const start = (more) => {
    Object.assign(own, options, Object.assign(latest, more));
    own.lang = language(latest.lang || options.lang);
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
