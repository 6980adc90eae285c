/**
 * @typedef {import('./login.js').LoginOptions} LoginOptions
 * @typedef {import('./login.js').LoginResult} LoginResult
 * @typedef {import('./login.js').LoginStatus} LoginStatus
 * @typedef {import('./login.js').View} View
 * @typedef {import('./login.js').Channel} Channel
 * @typedef {import('./failure.js').LoginFailure} LoginFailure
 * @typedef {import('./failure.js').Reason} Reason
 *
 * @typedef {object} More
 * @property {'auto'|'panel'|'redirect'} [mode] `auto` leaves the page only inside WeChat and WeCom
 * @property {'auto'|'light'|'dark'} [theme]
 * @property {AbortSignal} [signal] closes the panel, as the person can
 * @property {(result: LoginResult) => void} [success]
 * @property {(failed: LoginFailure) => void} [fail]
 * @property {(outcome: LoginResult | LoginFailure) => void} [complete] after either
 *
 * @typedef {import('./login.js').LoginOptions & More} ScanLoginOptions
 */
/** Shows the panel in a layer over the page. @param {ScanLoginOptions} options @returns {Promise<LoginResult>} */
export function scanLogin(options: ScanLoginOptions): Promise<LoginResult>;
export { isFailure } from "./failure.js";
export { createLogin } from "./login.js";
export type LoginOptions = import("./login.js").LoginOptions;
export type LoginResult = import("./login.js").LoginResult;
export type LoginStatus = import("./login.js").LoginStatus;
export type View = import("./login.js").View;
export type Channel = import("./login.js").Channel;
export type LoginFailure = import("./failure.js").LoginFailure;
export type Reason = import("./failure.js").Reason;
export type More = {
    /**
     * `auto` leaves the page only inside WeChat and WeCom
     */
    mode?: "panel" | "auto" | "redirect" | undefined;
    theme?: "auto" | "light" | "dark" | undefined;
    /**
     * closes the panel, as the person can
     */
    signal?: AbortSignal | undefined;
    success?: ((result: LoginResult) => void) | undefined;
    fail?: ((failed: LoginFailure) => void) | undefined;
    /**
     * after either
     */
    complete?: ((outcome: LoginResult | LoginFailure) => void) | undefined;
};
export type ScanLoginOptions = import("./login.js").LoginOptions & More;
export { finishRedirect, redirectLogin } from "./redirect.js";
