/**
 * In a browser the result is a `LoginResult`, and a code that `redirectLogin` came back with counts at once; elsewhere it
 * is what `uni.login` gives.
 *
 * @param {UniLoginOptions} options @returns {Promise<UniLoginResult>}
 */
export function login(options: UniLoginOptions): Promise<UniLoginResult>;
export function isH5(): boolean;
/**
 * `h5` is what only a browser needs; everything else is what `uni.login` takes.
 */
export type ScanLoginOptions = import("./mashang.js").ScanLoginOptions;
/**
 * Besides `code`, all of a `LoginResult` in a browser, and none of it elsewhere.
 */
export type UniLoginOptions = {
    provider?: string;
    timeout?: number;
    scopes?: string | string[];
    onlyAuthorize?: boolean;
    success?: (result: UniLoginResult) => void;
    fail?: (failed: any) => void;
    complete?: (outcome: any) => void;
    h5?: Partial<ScanLoginOptions> & {
        issuer: string;
        clientId: string;
    };
};
export type UniLoginResult = {
    code: string;
    errMsg?: string;
} & Partial<import("./mashang.js").LoginResult>;
export { finishRedirect, redirectLogin } from "./mashang.js";
