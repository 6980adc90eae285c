/** `<scan-login>` as a component of Vue, with typed properties and events. */
import { defineComponent, h } from 'vue';

import './element.js';

/**
 * @typedef {import('./login.js').LoginResult} LoginResult
 * @typedef {import('./failure.js').LoginFailure} LoginFailure
 */

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
