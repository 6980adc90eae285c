/**
 * @typedef {import('./login.js').View} View
 * @typedef {import('./words.js').Words} Words
 * @typedef {Node | string | null | false | undefined} Child
 * @typedef {{card: HTMLElement, login: import('./login.js').Login, speak: (lang?: string | null) => void}} Panel `speak` changes the language
 */
/**
 * An element with a class or attributes (functions listen) and children.
 * @param {string} name @param {string | Record<string, any>} given @param {...Child} children @returns {any}
 */
export function el(name: string, given: string | Record<string, any>, ...children: Child[]): any;
/**
 * @param {ShadowRoot} root
 * @param {import('./login.js').LoginOptions} options
 * @param {import('./login.js').Listener & {close?: (event: Event) => void}} listener with `close` there is a button for it
 * @returns {Panel}
 */
export function createPanel(root: ShadowRoot, options: import("./login.js").LoginOptions, listener: import("./login.js").Listener & {
    close?: (event: Event) => void;
}): Panel;
export type View = import("./login.js").View;
export type Words = import("./words.js").Words;
export type Child = Node | string | null | false | undefined;
/**
 * `speak` changes the language
 */
export type Panel = {
    card: HTMLElement;
    login: import("./login.js").Login;
    speak: (lang?: string | null) => void;
};
