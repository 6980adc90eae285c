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
export type Panel = {
    card: HTMLElement;
    login: import("./login.js").Login;
};
