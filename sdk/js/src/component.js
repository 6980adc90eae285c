/** `<scan-login>` as a component of Vue, with typed properties and events. */
import { defineComponent, h } from 'vue';

import './element.js';

/**
 * @typedef {import('./login.js').LoginResult} LoginResult
 * @typedef {import('./failure.js').LoginFailure} LoginFailure
 *
 * @typedef {object} ScanLoginProps
 * @property {string} issuer
 * @property {string} clientId
 * @property {string} [redirectUri]
 * @property {string} [scope]
 * @property {string} [state]
 * @property {string} [nonce]
 * @property {string} [codeChallenge]
 * @property {string} [provider]
 * @property {string} [lang]
 * @property {string} [theme]
 * @property {number | string} [timeout]
 * @property {boolean} [paused] asks nothing while it is true: behind another tab, for example
 * @property {(result: LoginResult) => void} [onSuccess]
 * @property {(failed: LoginFailure) => void} [onFail]
 * @property {() => void} [onScanned]
 * @property {() => void} [onApproved]
 * @property {(failed: LoginFailure) => void} [onExpired]
 * @property {(failed: LoginFailure) => void} [onDenied]
 * @property {(failed: LoginFailure) => void} [onError]
 * @property {(failed: LoginFailure) => void} [onCancel]
 *
 * @typedef {import('vue').AllowedComponentProps & import('vue').ComponentCustomProps & import('vue').VNodeProps} Common
 * @typedef {() => any} Slot
 * @typedef {{header?: Slot, footer?: Slot, scanned?: Slot, approved?: Slot, denied?: Slot, expired?: Slot, error?: Slot}} ScanLoginSlots
 */

/**
 * The panel. Slots and `--mashang-…` variables are those of `<scan-login>`. Its type is written down: inferred, it would be
 * `any` here, and would name what Vue 3.3 does not have.
 *
 * @type {new () => {$props: Common & ScanLoginProps, $slots: ScanLoginSlots}}
 */
export const ScanLogin = /** @type {any} */ (defineComponent({
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
    paused: Boolean,
  },
  emits: ['success', 'fail', 'scanned', 'approved', 'expired', 'denied', 'error', 'cancel'],
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
}));
