/** Starts at once, unless the page is hidden; ends by itself after the last news. @param {WatchOptions} options @returns {Watcher} */
export function watch({ urls, headers, credentials, seen: version, onNews, onGone }: WatchOptions): Watcher;
export function isOpen(status: string): status is "waiting" | "scanned";
export type News = {
    status: string;
    reason?: string;
    version: number;
    seconds_left: number;
};
export type WatchOptions = {
    /**
     * without `socket`: from a server that has none
     */
    urls: {
        status: string;
        events: string;
        socket?: string;
    };
    /**
     * on each request, such as `authorization`
     */
    headers?: Record<string, string> | undefined;
    /**
     * else `omit`
     */
    credentials?: RequestCredentials | undefined;
    /**
     * the version that is known
     */
    seen?: number | undefined;
    onNews: (news: News) => void;
    /**
     * the server knows no such ticket (any more)
     */
    onGone: () => void;
};
/**
 * `check` asks once, whoever looks
 */
export type Watcher = {
    stop: () => void;
    check: () => void;
};
export { backoff, pause, request } from "./request.js";
