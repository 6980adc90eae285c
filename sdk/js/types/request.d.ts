/**
 * One request with an end: by time or by a signal, whichever is first. Nothing of it stays behind.
 *
 * @typedef {object} Call
 * @property {string} [method] else GET
 * @property {Record<string, string>} [headers]
 * @property {object} [body] sent as JSON
 * @property {RequestCredentials} [credentials] else none
 * @property {AbortSignal} [signal]
 * @property {boolean} [keepalive] goes on when the page is left
 * @property {number} [limit] in ms, else 20 s
 *
 * @typedef {{ok: boolean, status: number, body: any, wait: number}} Answer `wait`: ms that the server asks for
 */
/**
 * A signal that ends with `outer`, after the time last `set`, or when it is cleared.
 * @param {AbortSignal | undefined} outer @param {number} limit in ms @param {(end?: any) => void} [done] is called at the end
 */
export function fuse(outer: AbortSignal | undefined, limit: number, done?: (end?: any) => void): {
    signal: AbortSignal;
    set: (ms: number) => void;
    clear: () => void;
};
/** @param {string} url @param {Call} [call] @returns {Promise<Answer>} rejects as `fetch` does */
export function request(url: string, { method, headers, body, credentials, signal, keepalive, limit }?: Call): Promise<Answer>;
/** What is no JSON says nothing. @param {any} text */
export function parse(text: any): any;
export function pause(ms: number, signal: AbortSignal): Promise<unknown>;
export function backoff(failures: number): number;
/**
 * One request with an end: by time or by a signal, whichever is first. Nothing of it stays behind.
 */
export type Call = {
    /**
     * else GET
     */
    method?: string | undefined;
    headers?: Record<string, string> | undefined;
    /**
     * sent as JSON
     */
    body?: object | undefined;
    /**
     * else none
     */
    credentials?: RequestCredentials | undefined;
    signal?: AbortSignal | undefined;
    /**
     * goes on when the page is left
     */
    keepalive?: boolean | undefined;
    /**
     * in ms, else 20 s
     */
    limit?: number | undefined;
};
/**
 * `wait`: ms that the server asks for
 */
export type Answer = {
    ok: boolean;
    status: number;
    body: any;
    wait: number;
};
