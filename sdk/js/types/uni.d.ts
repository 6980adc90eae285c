/**
 * In a browser the result is a `LoginResult`, and a code that `redirectLogin` came back with counts at once; elsewhere it
 * is what `uni.login` gives.
 *
 * @param {UniLoginOptions} options @returns {Promise<any>}
 */
export function login(options: UniLoginOptions): Promise<any>;
export function isH5(): boolean;
/**
 * `h5` is what only a browser needs; everything else is what `uni.login` takes.
 */
export type ScanLoginOptions = import("./mashang.js").ScanLoginOptions;
export type UniLoginOptions = {
    provider?: string;
    timeout?: number;
    scopes?: string | string[];
    onlyAuthorize?: boolean;
    success?: (result: any) => void;
    fail?: (failed: any) => void;
    complete?: (outcome: any) => void;
    h5?: Partial<ScanLoginOptions> & {
        issuer: string;
        clientId: string;
    };
};
export { finishRedirect, redirectLogin } from "./mashang.js";
