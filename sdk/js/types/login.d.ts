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
export function addressOf({ issuer, clientId }: LoginOptions): string;
/**
 * The address of the issuer's own page.
 * @param {LoginOptions} options @param {Proof} proof @param {Record<string, string|undefined>} more
 */
export function authorizeUrl(options: LoginOptions, proof: Proof, more: Record<string, string | undefined>): string;
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
export function createLogin(options: LoginOptions, listener?: Listener): Login;
export type LoginFailure = import("./failure.js").LoginFailure;
export type Reason = import("./failure.js").Reason;
export type Proof = {
    state: string;
    nonce: string;
    codeChallenge: string;
    codeVerifier?: string;
};
export type LoginOptions = {
    /**
     * where Mashang is, such as `https://login.example.com`
     */
    issuer: string;
    clientId: string;
    /**
     * registered, of this page's origin; may be left out if there is only one
     */
    redirectUri?: string | undefined;
    /**
     * else `openid profile`
     */
    scope?: string | undefined;
    /**
     * else random
     */
    state?: string | undefined;
    /**
     * else random
     */
    nonce?: string | undefined;
    /**
     * S256, of a verifier that the back end keeps; else made here
     */
    codeChallenge?: string | undefined;
    /**
     * the channel to begin with
     */
    provider?: string | undefined;
    /**
     * `zh-CN` or `en`
     */
    lang?: string | undefined;
    /**
     * of all, in ms; else none
     */
    timeout?: number | undefined;
    /**
     * `false`: the first refusal ends it, instead of offering a fresh code
     */
    retry?: boolean | undefined;
};
/**
 * for the back end
 */
export type LoginResult = {
    /**
     * one use
     */
    code: string;
    state: string;
    /**
     * unless the back end keeps its own
     */
    codeVerifier?: string | undefined;
    /**
     * to be compared with the id token's
     */
    nonce: string;
    /**
     * to be repeated in the token request
     */
    redirectUri: string;
    issuer: string;
};
export type LoginStatus = "idle" | "loading" | "waiting" | "scanned" | "approved" | "denied" | "expired" | "cancelled" | "error";
export type Channel = {
    id: string;
    label: string;
    kind: string;
    platform: string;
    scan_hint: string;
    how: "qr" | "window";
};
export type Urls = {
    status: string;
    events: string;
    socket?: string;
    refresh: string;
    redeem: string;
    cancel: string;
};
export type Ticket = {
    scan_code: string;
    scan_url: string | null;
    qr_svg: string | null;
    picture: string | null;
    number: string;
    status: string;
    version: number;
    seconds_left: number;
};
export type Face = {
    mode: string;
    ticket: Ticket;
    urls: Urls;
    trouble: null | {
        heading: string;
        text: string;
        remedy?: string;
    };
    continue_href: string | null;
    sandbox_phone_href: string | null;
};
export type View = {
    status: LoginStatus;
    /**
     * of `error`, `denied`, `expired`, `cancelled`
     */
    failure: LoginFailure | null;
    /**
     * it has failed for good; `refresh` and `start` begin again
     */
    over: boolean;
    /**
     * of this stage
     */
    secondsLeft: number;
    site: {
        name: string;
        host: string;
        logo_uri: string | null;
        brand_color: string | null;
    } | null;
    /**
     * `desktop`, `phone` or `inside` an app
     */
    device: string;
    channels: Channel[];
    /**
     * the open tab
     */
    channel: Channel | null;
    /**
     * what to show of it, unless it needs a window
     */
    face: Face | null;
};
export type Listener = {
    change?: ((view: View) => void) | undefined;
    success?: ((result: LoginResult) => void) | undefined;
    /**
     * it is over
     */
    failure?: ((failed: LoginFailure) => void) | undefined;
};
/**
 * Nothing happens before `start`.
 */
export type Login = {
    view: View;
    /**
     * begins, or begins again
     */
    start: () => Promise<void>;
    /**
     * leaves nothing running, and tells nobody but the server: the code is dead, on the phone too
     */
    stop: () => void;
    /**
     * the person (or time) gives up: the code is dead
     */
    cancel: (reason?: Reason) => void;
    /**
     * a fresh code, because somebody asked
     */
    refresh: () => void;
    /**
     * another tab; the one that is left asks nothing any more
     */
    choose: (id: string) => void;
    /**
     * to be called in a click; `false` if the browser forbids it, or while it loads
     */
    openWindow: () => boolean;
};
