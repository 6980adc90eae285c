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
export function useScanLogin(options: LoginOptions & Wishes): {
    /** All there is to show. */
    view: import("vue").ShallowRef<import("./login.js").View>;
    status: import("vue").ComputedRef<import("./login.js").LoginStatus>;
    failure: import("vue").ComputedRef<import("./failure.js").LoginFailure | null>;
    /** What the QR says; `null` where a platform draws its own. */
    qrUrl: import("vue").ComputedRef<string | null>;
    /** The QR as SVG, drawn by the issuer. */
    qrSvg: import("vue").ComputedRef<string | null>;
    /** The platform's own code, a `data:` address. */
    picture: import("vue").ComputedRef<string | null>;
    /** Two digits to type on the phone. */
    number: import("vue").ComputedRef<string>;
    secondsLeft: import("vue").ComputedRef<number>;
    channels: import("vue").ComputedRef<import("./login.js").Channel[]>;
    channel: import("vue").ComputedRef<import("./login.js").Channel | null>;
    result: import("vue").ShallowRef<import("./login.js").LoginResult | null>;
    start: (more?: Partial<LoginOptions> | Event) => Promise<void>;
    stop: () => void;
    refresh: () => void | Promise<void>;
    cancel: () => void;
    choose: (id: string) => void;
    openWindow: () => boolean;
};
export type LoginOptions = import("./login.js").LoginOptions;
export type LoginResult = import("./login.js").LoginResult;
export type LoginFailure = import("./failure.js").LoginFailure;
export type Wishes = {
    /**
     * `false`: not before `start()`
     */
    immediate?: boolean | undefined;
    success?: ((result: LoginResult) => void) | undefined;
    /**
     * it is over
     */
    fail?: ((failed: LoginFailure) => void) | undefined;
};
