/**
 * One request with an end: by time or by a signal, whichever is first. Nothing of it stays behind.
 *
 * @typedef {object} Call
 * @property {string} [method] else GET
 * @property {Record<string, string>} [headers]
 * @property {unknown} [body] sent as JSON
 * @property {RequestCredentials} [credentials] else none
 * @property {AbortSignal} [signal]
 * @property {number} [limit] in ms, else 20 s
 *
 * @typedef {{ok: boolean, status: number, body: any, wait: number}} Answer `wait`: ms that the server asks for
 */
/** A signal that ends with `outer`, or when the time last `set` is over. @param {AbortSignal} [outer] */
export function fuse(outer?: AbortSignal): {
    signal: AbortSignal;
    /** @param {number} ms */
    set(ms: number): void;
    clear(): void;
};
/** @param {string} url @param {Call} [call] @returns {Promise<Answer>} rejects as `fetch` does */
export function request(url: string, { method, headers, body, credentials, signal, limit }?: Call): Promise<Answer>;
/** Resolves after a time, or at once when the signal ends. @param {number} ms @param {AbortSignal} signal */
export function pause(ms: number, signal: AbortSignal): Promise<void>;
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
    body?: unknown;
    /**
     * else none
     */
    credentials?: RequestCredentials | undefined;
    signal?: AbortSignal | undefined;
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
