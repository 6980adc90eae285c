export class ScanLoginElement extends HTMLElement {
    static get observedAttributes(): string[];
    /** @type {import('./panel.js').Panel | null} */
    panel: import("./panel.js").Panel | null;
    /** @type {HTMLElement | null} */
    inside: HTMLElement | null;
    waits: boolean;
    anew: boolean;
    set paused(on: boolean);
    /** Frameworks write `paused="false"`, too. */
    get paused(): boolean;
    connectedCallback(): void;
    disconnectedCallback(): void;
    /** Those that hydrate a page set what is there already. @param {string} name @param {string | null} before @param {string | null} now */
    attributeChangedCallback(name: string, before: string | null, now: string | null): void;
    /** Several attributes at once begin once; a move to another place changes nothing. @param {boolean} [anew] */
    renew(anew?: boolean): void;
    start(): void;
    /** The way by redirect, there and back. @param {ShadowRoot} root @param {import('./login.js').LoginOptions} options */
    offer(root: ShadowRoot, options: import("./login.js").LoginOptions): void;
    /** Asks nothing any more, and shows nothing. */
    stop(): void;
    /** A fresh code. */
    refresh(): void;
    /** Gives up: the code is dead. */
    cancel(): void;
    /** @param {string} type @param {unknown} detail */
    tell(type: string, detail: unknown): void;
}
/**
 * `<scan-login issuer client-id>`: the panel as an element of the page. It begins when it is on the page and not `paused`,
 * begins anew when an attribute gets another value (not `lang`: that changes the words), and leaves nothing running when it is taken away. Inside WeChat and WeCom, where
 * nobody scans the screen in their hand, it is a button that leaves the page, and it takes the code of whoever comes back
 * once the page has loaded.
 *
 * Events: `success` ({@link LoginResult} in `detail`), `fail` (failure: it is over), `change` ({@link View}), and per status
 * `scanned`, `approved`, `expired`, `denied`, `error`, `cancel`, with the failure in `detail` where there is one.
 */
export type LoginResult = import("./login.js").LoginResult;
/**
 * `<scan-login issuer client-id>`: the panel as an element of the page. It begins when it is on the page and not `paused`,
 * begins anew when an attribute gets another value (not `lang`: that changes the words), and leaves nothing running when it is taken away. Inside WeChat and WeCom, where
 * nobody scans the screen in their hand, it is a button that leaves the page, and it takes the code of whoever comes back
 * once the page has loaded.
 *
 * Events: `success` ({@link LoginResult} in `detail`), `fail` (failure: it is over), `change` ({@link View}), and per status
 * `scanned`, `approved`, `expired`, `denied`, `error`, `cancel`, with the failure in `detail` where there is one.
 */
export type View = import("./login.js").View;
/**
 * `<scan-login issuer client-id>`: the panel as an element of the page. It begins when it is on the page and not `paused`,
 * begins anew when an attribute gets another value (not `lang`: that changes the words), and leaves nothing running when it is taken away. Inside WeChat and WeCom, where
 * nobody scans the screen in their hand, it is a button that leaves the page, and it takes the code of whoever comes back
 * once the page has loaded.
 *
 * Events: `success` ({@link LoginResult} in `detail`), `fail` (failure: it is over), `change` ({@link View}), and per status
 * `scanned`, `approved`, `expired`, `denied`, `error`, `cancel`, with the failure in `detail` where there is one.
 */
export type LoginFailure = import("./failure.js").LoginFailure;
