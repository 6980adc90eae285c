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
export const ScanLogin: new () => {
    $props: Common & ScanLoginProps;
    $slots: ScanLoginSlots;
};
export type LoginResult = import("./login.js").LoginResult;
export type LoginFailure = import("./failure.js").LoginFailure;
export type ScanLoginProps = {
    issuer: string;
    clientId: string;
    redirectUri?: string | undefined;
    scope?: string | undefined;
    state?: string | undefined;
    nonce?: string | undefined;
    codeChallenge?: string | undefined;
    provider?: string | undefined;
    lang?: string | undefined;
    theme?: string | undefined;
    timeout?: string | number | undefined;
    /**
     * asks nothing while it is true: behind another tab, for example
     */
    paused?: boolean | undefined;
    onSuccess?: ((result: LoginResult) => void) | undefined;
    onFail?: ((failed: LoginFailure) => void) | undefined;
    onScanned?: (() => void) | undefined;
    onApproved?: (() => void) | undefined;
    onExpired?: ((failed: LoginFailure) => void) | undefined;
    onDenied?: ((failed: LoginFailure) => void) | undefined;
    onError?: ((failed: LoginFailure) => void) | undefined;
    onCancel?: ((failed: LoginFailure) => void) | undefined;
};
export type Common = import("vue").AllowedComponentProps & import("vue").ComponentCustomProps & import("vue").VNodeProps;
export type Slot = () => any;
export type ScanLoginSlots = {
    header?: Slot;
    footer?: Slot;
    scanned?: Slot;
    approved?: Slot;
    denied?: Slot;
    expired?: Slot;
    error?: Slot;
};
